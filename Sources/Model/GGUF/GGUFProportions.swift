import Formats

/// What the types of a model's tensors depend on in llama.cpp's mixes.
package struct GGUFProportions: Sendable {
  /// `general.architecture`.
  let architecture: String
  let layerCount: Int
  /// Heads of queries for each of keys and values; 0 without attention.
  let headsPerKeyValue: Int
  let expertCount: Int
  /// Whether the output projection is a tensor of its own.
  let hasHead: Bool

  init(
    architecture: String, layerCount: Int, headsPerKeyValue: Int, expertCount: Int, hasHead: Bool
  ) {
    self.architecture = architecture
    self.layerCount = layerCount
    self.headsPerKeyValue = headsPerKeyValue
    self.expertCount = expertCount
    self.hasHead = hasHead
  }

  /// - Parameter keys: of the architecture.
  init(_ architecture: String, keys: [(key: String, value: GGUFValue)], hasHead: Bool) {
    func size(_ name: String) -> Int {
      keys.first { $0.key == architecture + "." + name }?.value.uint32Value.map { Int($0) } ?? 0
    }
    let keyValueCount = size("attention.head_count_kv")
    self.init(
      architecture: architecture, layerCount: size("block_count"),
      headsPerKeyValue: keyValueCount == 0 ? 0 : size("attention.head_count") / keyValueCount,
      expertCount: size("expert_count"), hasHead: hasHead)
  }
}
