import Formats

/// One file's manifest, held against the tensors that the file has.
struct PackedFile: Sendable {
  let manifest: Manifest
  /// The entries that hold, in the manifest's order.
  let tensors: [PackedCheckpoint.Tensor]
  /// Every stored tensor that the file has and the manifest names, with what is recorded of it.
  let stored: [Stored]
  /// What does not hold, in the same order; tensors that no entry names come last.
  let errors: [PackedError]

  struct Stored: Sendable {
    let tensor: Checkpoint.Tensor
    /// Nil where nothing is recorded.
    let digest: Digest?
    /// Whether it holds scales or biases.
    let isParameter: Bool

    /// The parts of a tensor of which nothing is recorded.
    static func parts(of tensor: PackedCheckpoint.Tensor) -> [Stored] {
      tensor.stored.enumerated().map {
        Stored(tensor: $1, digest: nil, isParameter: tensor.stored.count == 3 && $0 > 0)
      }
    }
  }

  /// - Parameter tensors: all that the file holds.
  /// - Throws: `PackedError.noManifest`; `ManifestError` where the manifest cannot be used.
  init(_ file: SafetensorsFile, _ tensors: ArraySlice<Checkpoint.Tensor>) throws {
    let manifest = try PackedCheckpoint.manifest(of: file)
    self.manifest = manifest
    var unnamed = Dictionary(
      tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var named = Set<String>()
    var sound: [PackedCheckpoint.Tensor] = []
    var stored: [Stored] = []
    var errors: [PackedError] = []
    for entry in manifest.tensors {
      var found: [Checkpoint.Tensor] = []
      for recorded in entry.stored {
        guard let tensor = unnamed.removeValue(forKey: recorded.name) else {
          errors.append(
            named.contains(recorded.name)
              ? .claimedTwice(file: file.path, tensor: recorded.name)
              : .missingTensor(file: file.path, tensor: recorded.name))
          continue
        }
        named.insert(recorded.name)
        stored.append(
          Stored(
            tensor: tensor, digest: recorded.digest,
            isParameter: entry.stored.count == 3 && !found.isEmpty))
        found.append(tensor)
      }
      guard found.count == entry.stored.count else { continue }
      do {
        try entry.check(found, file: file.path)
        sound.append(PackedCheckpoint.Tensor(entry: entry, stored: found))
      } catch {
        errors.append(error)
      }
    }
    errors += tensors.filter { unnamed[$0.name] != nil }.map {
      .unnamedTensor(file: file.path, tensor: $0.name)
    }
    self.tensors = sound
    self.stored = stored
    self.errors = errors
  }

  /// What is wrong with the checksum that a packed file's header carries; nil where it is right.
  static func headerError(of file: SafetensorsFile) -> PackedError? {
    switch HeaderChecksum.isIntact(file.headerBytes) {
    case true: nil
    case false: .headerDamaged(file: file.path)
    case nil: .headerUnsealed(file: file.path)
    }
  }
}

extension Manifest.Entry {
  /// Holds the stored tensors against the shapes and types that the layout gives.
  fileprivate func check(
    _ tensors: [Checkpoint.Tensor], file: String
  ) throws(PackedError) {
    let expected = try expectedTensors(file: file)
    for (tensor, (shape, dtypes)) in zip(tensors, expected) {
      guard tensor.info.shape == shape, dtypes.contains(tensor.info.dtype) else {
        throw .wrongTensor(
          file: file, tensor: tensor.name, shape: tensor.info.shape, dtype: tensor.info.dtype,
          expectedShape: shape, expectedDTypes: dtypes)
      }
    }
  }

  /// Shape and possible types of each stored tensor.
  private func expectedTensors(
    file: String
  ) throws(PackedError) -> [(shape: [UInt64], dtypes: [DType])] {
    guard case .affine(let layout) = layout else {
      let decoded: [DType] = sourceDType.isFloat8 ? [.f16, .bf16, .f32] : []
      return [(sourceShape, [sourceDType] + decoded)]
    }
    guard hasCountableWeights else {
      throw .sizeOverflow(file: file, tensor: name, shape: sourceShape)
    }
    let shape = order.outputMajor(sourceShape)
    guard let inputs = shape.last, shape.count >= 2, inputs % UInt64(layout.groupSize) == 0 else {
      throw .shapeDoesNotDivide(
        file: file, tensor: name, shape: sourceShape, groupSize: layout.groupSize)
    }
    let shapes = layout.partShapes(shape)
    let floats = ScaleType.allCases.map(\.dtype)
    return [(shapes.words, [.u32]), (shapes.parameters, floats), (shapes.parameters, floats)]
  }

  /// Whether the weights' bytes fit an `Int` in any type and order of the dimensions, a dimension
  /// of 0 counted as 1: nothing that is computed from the shape can then overflow.
  private var hasCountableWeights: Bool {
    var count = 8
    for dimension in sourceShape where dimension > 1 {
      guard let factor = Int(exactly: dimension) else { return false }
      let (product, overflows) = count.multipliedReportingOverflow(by: factor)
      if overflows { return false }
      count = product
    }
    return true
  }
}

extension Checkpoint {
  /// Each file with its tensors, which lie one after the other in `tensors`.
  var filesWithTensors: [(file: SafetensorsFile, tensors: ArraySlice<Checkpoint.Tensor>)] {
    files.indices.map { (files[$0], tensors(ofFile: $0)) }
  }
}
