import Formats

/// A packed checkpoint open for reading: its manifests, and for each of their entries the stored
/// tensors.
package struct PackedCheckpoint: Sendable {
  package struct Tensor: Sendable {
    package let entry: Manifest.Entry
    /// Weight, scales and biases, or the one raw tensor.
    package let stored: [Checkpoint.Tensor]
  }

  package let checkpoint: Checkpoint
  /// One for each file, in the files' order.
  package let manifests: [Manifest]
  /// In the order of the files, then of their manifests.
  package let tensors: [Tensor]

  /// - Throws: `ManifestError` where a file's manifest cannot be used, `PackedError` where it and
  ///   the file's tensors do not agree.
  package init(_ checkpoint: Checkpoint) throws {
    self.checkpoint = checkpoint
    var manifests: [Manifest] = []
    var tensors: [Tensor] = []
    for (index, file) in checkpoint.files.enumerated() {
      let manifest = try Self.manifest(of: file)
      let stored = Dictionary(
        checkpoint.tensors(ofFile: index).map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
      for entry in manifest.tensors {
        tensors.append(
          Tensor(
            entry: entry, stored: try Self.storedTensors(of: entry, in: stored, file: file.path)))
      }
      manifests.append(manifest)
    }
    self.manifests = manifests
    self.tensors = tensors
  }

  static func manifest(of file: SafetensorsFile) throws -> Manifest {
    guard let text = file.header.metadataValue(Manifest.manifestKey) else {
      throw PackedError.noManifest(file: file.path)
    }
    return try Manifest(text: text, file: file.path)
  }

  /// The tensors that `entry` names, checked against the shapes and types that its layout gives.
  static func storedTensors(
    of entry: Manifest.Entry, in tensors: [String: Checkpoint.Tensor], file: String
  ) throws -> [Checkpoint.Tensor] {
    try zip(entry.stored, try entry.expectedTensors(file: file)).map { stored, expected in
      guard let tensor = tensors[stored.name] else {
        throw PackedError.missingTensor(file: file, tensor: stored.name)
      }
      guard tensor.info.shape == expected.shape, expected.dtypes.contains(tensor.info.dtype) else {
        throw PackedError.wrongTensor(
          file: file, tensor: stored.name, shape: tensor.info.shape, dtype: tensor.info.dtype,
          expectedShape: expected.shape, expectedDTypes: expected.dtypes)
      }
      return tensor
    }
  }
}

extension Manifest.Entry {
  /// Shape and possible types of each stored tensor.
  fileprivate func expectedTensors(
    file: String
  ) throws -> [(shape: [UInt64], dtypes: [DType])] {
    guard case .affine(let layout, _) = encoding else {
      let decoded: [DType] = sourceDType.isFloat8 ? [.f16, .bf16, .f32] : []
      return [(sourceShape, [sourceDType] + decoded)]
    }
    var shape = sourceShape
    if isTransposed, shape.count >= 2 { shape.swapAt(shape.count - 1, shape.count - 2) }
    guard let inputs = shape.last, shape.count >= 2, inputs % UInt64(layout.groupSize) == 0 else {
      throw PackedError.shapeDoesNotDivide(
        file: file, tensor: name, shape: sourceShape, groupSize: layout.groupSize)
    }
    let outer = shape.dropLast()
    let groups = Array(outer + [inputs / UInt64(layout.groupSize)])
    let words = Array(outer + [inputs / 32 * UInt64(layout.bits)])
    let floats = ScaleType.allCases.map(\.dtype)
    return [(words, [.u32]), (groups, floats), (groups, floats)]
  }

  /// How many weights the tensor has.
  package var weightCount: Int { sourceShape.map { Int(clamping: $0) }.reduce(1, *) }
}

/// Where a packed file and its manifest do not agree.
package enum PackedError: DescribedError, Equatable {
  case noManifest(file: String)
  case missingTensor(file: String, tensor: String)
  case wrongTensor(
    file: String, tensor: String, shape: [UInt64], dtype: DType, expectedShape: [UInt64],
    expectedDTypes: [DType])
  case shapeDoesNotDivide(file: String, tensor: String, shape: [UInt64], groupSize: Int)

  package var rule: String {
    switch self {
    case .noManifest: "manifest_missing"
    case .missingTensor: "tensor_missing"
    case .wrongTensor: "tensor_shape"
    case .shapeDoesNotDivide: "group_size"
    }
  }

  package var tensor: String? {
    switch self {
    case .noManifest: nil
    case .missingTensor(_, let tensor), .wrongTensor(_, let tensor, _, _, _, _),
      .shapeDoesNotDivide(_, let tensor, _, _):
      tensor
    }
  }

  package var message: String {
    switch self {
    case .noManifest(let file): "\(file) has no manifest: decant did not write it"
    case .missingTensor(let file, let tensor):
      "\(file): the manifest names tensor '\(tensor)', which the file does not hold"
    case .wrongTensor(let file, let tensor, let shape, let dtype, let expected, let dtypes):
      "\(file): tensor '\(tensor)' is \(dtype.rawValue) \(shape); the manifest makes it "
        + dtypes.map(\.rawValue).joined(separator: " or ") + " \(expected)"
    case .shapeDoesNotDivide(let file, let tensor, let shape, let groupSize):
      "\(file): tensor '\(tensor)' of shape \(shape) does not divide into groups of \(groupSize)"
    }
  }

  package var hint: String? {
    switch self {
    case .noManifest: "only files that 'decant convert' wrote can be checked and unpacked"
    default: "the file is damaged or was edited; get another copy"
    }
  }
}
