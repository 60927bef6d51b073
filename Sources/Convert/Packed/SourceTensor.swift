import Formats

/// A tensor of a model as its weights are read, however they are stored.
package struct SourceTensor: Sendable {
  /// As the model has it: that of a packed weight, not of its parts.
  package let name: String
  /// Of the elements; of a packed weight, the type that it decodes to.
  package let dtype: DType
  /// Of the weights; of a packed one, as it was before packing.
  package let shape: [UInt64]
  /// Of everything that is stored for it.
  package let byteCount: Int
  /// Index into the checkpoint's files of the one that holds it, or its packed words.
  let file: Int
  let form: Form

  enum Form: Sendable {
    case plain(Checkpoint.Tensor)
    /// With the checksums that its stored tensors must have, where something says.
    case packed(PackedStorage, recorded: [UInt64?])
  }

  private init(
    name: String, dtype: DType, shape: [UInt64], byteCount: Int, file: Int, form: Form
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.byteCount = byteCount
    self.file = file
    self.form = form
  }

  init(_ tensor: Checkpoint.Tensor) {
    self.init(
      name: tensor.name, dtype: tensor.info.dtype, shape: tensor.info.shape,
      byteCount: tensor.info.byteCount, file: tensor.file, form: .plain(tensor))
  }

  init(_ tensor: PackedCheckpoint.Tensor, in packed: PackedCheckpoint) {
    guard let storage = packed.packedStorage(tensor) else {
      self.init(tensor.stored[0])
      return
    }
    self.init(
      name: tensor.entry.name, dtype: storage.decodedType.dtype, shape: tensor.entry.sourceShape,
      byteCount: storage.byteCount, file: tensor.stored[0].file,
      form: .packed(storage, recorded: packed.recordedChecksums(tensor)))
  }

  package var isPacked: Bool { if case .packed = form { true } else { false } }

  /// The order that its weights are turned from when they are read as they lie: packed ones are
  /// output-major, whatever they were before.
  var turnedFrom: MatrixOrder {
    if case .packed(let storage, _) = form { storage.order } else { .outputMajor }
  }

  /// The stored tensors that hold it.
  var stored: [Checkpoint.Tensor] {
    switch form {
    case .plain(let tensor): [tensor]
    case .packed(let storage, _): storage.parts
    }
  }

  /// The dimensions for arithmetic, clamped where an empty tensor names one beyond 2^63.
  package var dimensions: [Int] { shape.map { Int(clamping: $0) } }

  /// Exact: readers have checked that the product does not overflow.
  package var elementCount: Int { shape.contains(0) ? 0 : dimensions.reduce(1, *) }
}

extension Checkpoint {
  /// What the checkpoint holds as weights, in the order in which it is stored: every tensor, with
  /// the parts of packed ones together.
  ///
  /// - Throws: `ManifestError`, `PackedError` where packed tensors are not what they should be.
  package func sourceTensors() throws -> [SourceTensor] {
    guard let packed = try PackedCheckpoint(ifPacked: self) else {
      return tensors.map { SourceTensor($0) }
    }
    let byFirst = Dictionary(
      packed.tensors.map { ($0.stored[0].name, $0) }, uniquingKeysWith: { first, _ in first })
    return tensors.compactMap { tensor in
      byFirst[tensor.name].map { SourceTensor($0, in: packed) }
    }
  }

  func fileName(of tensor: SourceTensor) -> String { fileNames[tensor.file] }
}
