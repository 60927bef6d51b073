import Formats

/// Where packed files, their manifests and what lies beside them do not agree.
package enum PackedError: DescribedError, Equatable {
  case noManifest(file: String)
  /// A manifest, and no checksum of the header that holds it.
  case headerUnsealed(file: String)
  case headerDamaged(file: String)
  /// Words and scales without a manifest, in no layout that a configuration explains.
  case unknownPacking(file: String, tensor: String)
  case missingTensor(file: String, tensor: String)
  case wrongTensor(
    file: String, tensor: String, shape: [UInt64], dtype: DType, expectedShape: [UInt64],
    expectedDTypes: [DType])
  case shapeDoesNotDivide(file: String, tensor: String, shape: [UInt64], groupSize: Int)
  /// The product of the dimensions does not fit.
  case sizeOverflow(file: String, tensor: String, shape: [UInt64])
  case claimedTwice(file: String, tensor: String)
  case unnamedTensor(file: String, tensor: String)
  case damagedTensor(file: String, tensor: String, found: Digest, recorded: Digest)
  /// A file of another output than `first`, which lies beside it.
  case foreignShard(file: String, first: String)
  case missingShards(path: String, found: Int, expected: Int)
  case shardName(file: String, expected: String)
  /// Parts of a tensor of the source that are not all of it, or overlap.
  case originIncomplete(file: String, tensor: String)
  case otherOutput(path: String, found: Digest, recorded: Digest)
  case carriedMissing(path: String)
  case carriedSize(path: String, found: Int, recorded: Int)
  case carriedDamaged(path: String, found: Digest, recorded: Digest)

  package var rule: PackedRule {
    switch self {
    case .noManifest, .unknownPacking: .manifestMissing
    case .headerUnsealed, .headerDamaged: .headerChecksum
    case .missingTensor: .tensorMissing
    case .wrongTensor: .tensorShape
    case .shapeDoesNotDivide: .groupSize
    case .sizeOverflow: .tensorSize
    case .claimedTwice: .tensorClaimedTwice
    case .unnamedTensor: .tensorUnnamed
    case .damagedTensor: .checksum
    case .foreignShard: .shardForeign
    case .missingShards: .shardMissing
    case .shardName: .shardName
    case .originIncomplete: .origin
    case .otherOutput: .outputChecksum
    case .carriedMissing: .carriedMissing
    case .carriedSize: .carriedSize
    case .carriedDamaged: .carriedChecksum
    }
  }

  package var tensor: String? {
    switch self {
    case .missingTensor(_, let tensor), .unknownPacking(_, let tensor),
      .wrongTensor(_, let tensor, _, _, _, _),
      .shapeDoesNotDivide(_, let tensor, _, _), .sizeOverflow(_, let tensor, _),
      .claimedTwice(_, let tensor), .unnamedTensor(_, let tensor),
      .damagedTensor(_, let tensor, _, _), .originIncomplete(_, let tensor):
      tensor
    default: nil
    }
  }

  /// What the error is about.
  package var file: String {
    switch self {
    case .noManifest(let file), .headerUnsealed(let file), .headerDamaged(let file),
      .missingTensor(let file, _), .unknownPacking(let file, _),
      .wrongTensor(let file, _, _, _, _, _),
      .shapeDoesNotDivide(let file, _, _, _), .sizeOverflow(let file, _, _),
      .claimedTwice(let file, _), .unnamedTensor(let file, _),
      .damagedTensor(let file, _, _, _), .foreignShard(let file, _),
      .missingShards(let file, _, _), .shardName(let file, _), .otherOutput(let file, _, _),
      .originIncomplete(let file, _),
      .carriedMissing(let file), .carriedSize(let file, _, _), .carriedDamaged(let file, _, _):
      file
    }
  }

  package var message: String { "\(file)\(explanation)" }

  private var explanation: String {
    switch self {
    case .noManifest: " has no manifest: decant did not write it"
    case .headerUnsealed: ": the header carries no checksum"
    case .headerDamaged: ": the header does not have the checksum that it carries"
    case .unknownPacking(_, let tensor):
      ": tensor '\(tensor)' is packed, and neither a manifest nor group size and bits in config.json"
        + " say how it is to be decoded"
    case .missingTensor(_, let tensor):
      ": the manifest names tensor '\(tensor)', which the file does not hold"
    case .wrongTensor(_, let tensor, let shape, let dtype, let expected, let dtypes):
      ": tensor '\(tensor)' is \(dtype.rawValue) \(shape); it should be "
        + dtypes.map(\.rawValue).joined(separator: " or ") + " \(expected)"
    case .shapeDoesNotDivide(_, let tensor, let shape, let groupSize):
      ": tensor '\(tensor)' of shape \(shape) does not divide into groups of \(groupSize)"
    case .sizeOverflow(_, let tensor, let shape):
      ": tensor '\(tensor)' of shape \(shape) has more weights than can be counted"
    case .claimedTwice(_, let tensor): ": two entries of the manifest name tensor '\(tensor)'"
    case .unnamedTensor(_, let tensor): ": the manifest does not name tensor '\(tensor)'"
    case .damagedTensor(_, let tensor, let found, let recorded):
      ": tensor '\(tensor)' has checksum \(found.hexDigits);"
        + " the manifest says \(recorded.hexDigits)"
    case .foreignShard(_, let first): " belongs to another output than \(first) beside it"
    case .missingShards(_, let found, let expected):
      " holds \(found) of the \(expected) files that the output was written as"
    case .shardName(_, let expected): " was written as \(expected)"
    case .originIncomplete(_, let tensor):
      ": the tensors that hold parts of the source's '\(tensor)' are not all of it, or overlap"
    case .otherOutput(_, let found, let recorded):
      ": its tensors have the checksum \(found.hexDigits) together;"
        + " the manifest says \(recorded.hexDigits)"
    case .carriedMissing: " is missing: it came with the weights"
    case .carriedSize(_, let found, let recorded):
      " has \(found) bytes; the manifest says \(recorded)"
    case .carriedDamaged(_, let found, let recorded):
      " has checksum \(found.hexDigits); the manifest says \(recorded.hexDigits)"
    }
  }

  package var hint: String? {
    switch self {
    case .noManifest:
      "only what 'decant convert' wrote has one; inspect, stats, plan and unpack also take what MLX packed"
    case .unknownPacking: "decant reads its own packed files, and MLX's affine ones"
    case .foreignShard, .missingShards, .otherOutput:
      "keep together the files that one conversion wrote, all of them"
    case .shardName: "give the file its name back, and put the other shards beside it"
    case .carriedMissing, .carriedSize, .carriedDamaged:
      "put the original back; to change it for good, change it in the source and convert again"
    default: "the file is damaged or was edited; get another copy"
    }
  }
}
