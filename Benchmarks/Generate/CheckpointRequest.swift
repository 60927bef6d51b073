import Formats

/// Which checkpoint to make.
struct CheckpointRequest {
  /// How the weights of layers are stored.
  enum Storage: String, CaseIterable {
    case f16 = "F16"
    case bf16 = "BF16"
    case f32 = "F32"
    /// E4M3 with a factor for each 128 x 128 block; embeddings and norms are BF16.
    case fp8 = "FP8"

    /// The type of everything that is not scaled.
    var plain: ScaleType {
      switch self {
      case .f16: .f16
      case .bf16, .fp8: .bf16
      case .f32: .f32
      }
    }
  }

  static let options: Set = ["size", "dtype", "shards", "seed"]

  var byteCount: Int
  var storage: Storage
  var shardCount: Int
  var seed: Int

  init(_ options: Options) throws {
    byteCount = try ByteCount(parsing: options["size"] ?? "1GB").bytes
    let name = options["dtype"] ?? "BF16"
    guard let storage = Storage(rawValue: name.uppercased()) else {
      let names = Storage.allCases.map(\.rawValue).joined(separator: ", ")
      throw BenchmarkError("--dtype is one of \(names), not '\(name)'")
    }
    self.storage = storage
    shardCount = try options.count("shards", default: 1)
    seed = try options.count("seed", default: 1)
  }

  /// Bytes that lie on the disk at a time while commands run on it: itself, packed, and unpacked again,
  /// which makes two bytes of each weight of FP8.
  var workingByteCount: Int { byteCount * (storage == .fp8 ? 4 : 3) }

  /// As arguments of `generate`.
  var arguments: [String] {
    [
      "--size", "\(byteCount)B", "--dtype", storage.rawValue, "--shards", "\(shardCount)",
      "--seed", "\(seed)",
    ]
  }
}
