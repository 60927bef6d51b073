import Foundation

/// How tensors are spread over files, and what the files are called.
enum Sharding {
  /// Splits `items` in their order: a new shard begins where adding the next item would exceed
  /// `limit` bytes; an item above the limit has a shard of its own. There is at least one shard.
  static func split(_ items: [Int], sizes: (Int) -> Int, limit: Int) -> [[Int]] {
    var shards: [[Int]] = [[]]
    var size = 0
    for item in items {
      let bytes = sizes(item)
      if !shards[shards.count - 1].isEmpty, bytes > limit - size {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(item)
      size += bytes
    }
    return shards
  }

  /// `model.safetensors`, or `model-00001-of-00003.safetensors`.
  static func fileName(_ index: Int, of count: Int) -> String {
    count == 1
      ? "model.safetensors"
      : String(format: "model-%05d-of-%05d.safetensors", index + 1, count)
  }
}
