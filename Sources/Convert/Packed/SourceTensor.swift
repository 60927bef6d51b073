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
  /// The stored tensors that hold it.
  let stored: [Checkpoint.Tensor]
  /// The digests that those must have, where something says.
  let recorded: [Digest?]
  /// How it is packed; nil for one whose elements are its weights, and for one made of others.
  let packing: PackedStorage?
  /// What of which tensors it is, where it is not one of its name and shape; of a packed one, as it was
  /// before packing.
  var origin: TensorOrigin?
  /// What its elements are multiplied with when they are read; nil where they are read as they are.
  var elementScales: ElementScales?
  /// The tensors of the checkpoint that it is made of; none where it is one of those.
  let pieces: [SourceTensor]
  /// Whether the changes of its origin are made only where it is packed.
  let changesWhenPacked: Bool

  init(
    name: String, dtype: DType, shape: [UInt64], byteCount: Int, file: Int,
    stored: [Checkpoint.Tensor], recorded: [Digest?], packing: PackedStorage?,
    origin: TensorOrigin?, pieces: [SourceTensor] = [], changesWhenPacked: Bool = false
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.byteCount = byteCount
    self.file = file
    self.stored = stored
    self.recorded = recorded
    self.packing = packing
    self.origin = origin
    self.pieces = pieces
    self.changesWhenPacked = changesWhenPacked
  }

  init(_ tensor: Checkpoint.Tensor, recorded: Digest? = nil, origin: TensorOrigin? = nil) {
    self.init(
      name: tensor.name, dtype: tensor.info.dtype, shape: tensor.info.shape,
      byteCount: tensor.info.byteCount, file: tensor.file, stored: [tensor], recorded: [recorded],
      packing: nil, origin: origin)
  }

  private init(
    _ tensor: PackedCheckpoint.Tensor, _ storage: PackedStorage, recorded: [Digest?]
  ) {
    self.init(
      name: tensor.entry.name, dtype: storage.decodedType.dtype, shape: tensor.entry.sourceShape,
      byteCount: storage.byteCount, file: tensor.stored[0].file, stored: storage.parts,
      recorded: recorded, packing: storage, origin: tensor.entry.origin)
  }

  init(_ tensor: PackedCheckpoint.Tensor, in packed: PackedCheckpoint) {
    let recorded = packed.recordedDigests(tensor)
    if let storage = packed.packedStorage(tensor) {
      self.init(tensor, storage, recorded: recorded)
    } else {
      self.init(tensor.stored[0], recorded: recorded[0], origin: tensor.entry.origin)
    }
  }

  package var isPacked: Bool { packing != nil || pieces.contains(where: \.isPacked) }

  /// How the model stored it, where that is known for certain: a packed weight says it.
  var knownOrder: MatrixOrder? { pieces.isEmpty ? packing?.order : .outputMajor }

  /// The order that its weights are turned from when they are read as they lie: packed ones are
  /// output-major, whatever they were before.
  var turnedFrom: MatrixOrder { packing?.order ?? .outputMajor }

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
    if let source = MXFP4Source(self) { return try source.tensors() }
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
