import Formats
import Model
import Stats

/// What is in a checkpoint, tensor by tensor, from the headers alone.
package struct Inspection: Sendable {
  package struct Tensor: Sendable {
    package let name: String
    package let file: String
    /// As stored; for a packed weight that of its packed words.
    package let dtype: DType
    /// Of the weight itself: for a packed one, the source's shape where it is known.
    package let shape: [UInt64]
    /// Of everything stored for it: words, scales and biases together.
    package let byteCount: Int
    /// Weights that the bytes stand for.
    package let parameterCount: Int
    package let identity: TensorIdentity
    /// What the manifest says it was before packing; nil without one.
    package let sourceDType: DType?
    package let packing: Packing?

    /// Effective, scales and biases counted.
    package var bitsPerWeight: Double {
      parameterCount == 0 ? 0 : 8 * Double(byteCount) / Double(parameterCount)
    }
  }

  /// How a packed weight is stored. Method and error come from the manifest.
  package struct Packing: Sendable {
    package let layout: AffineLayout
    package let stored: [String]
    package let method: String?
    package let error: QuantizationError?
  }

  package let checkpoint: Checkpoint
  package let tensors: [Tensor]
  /// Whether any weight is packed.
  package let isPacked: Bool
  package var parameterCount: Int { tensors.reduce(0) { $0 + $1.parameterCount } }
  package var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  package var bitsPerWeight: Double? {
    parameterCount == 0 ? nil : 8 * Double(byteCount) / Double(parameterCount)
  }

  /// - Throws: `ManifestError`, `PackedError` where a manifest is there and cannot be used, or does
  ///   not agree with the tensors; `PackedError` where packed tensors do not fit one another.
  package init(_ checkpoint: Checkpoint) throws {
    self.checkpoint = checkpoint
    // What cannot be decoded can still be shown as it is stored.
    let packed: PackedCheckpoint?
    do {
      packed = try PackedCheckpoint(ifPacked: checkpoint)
    } catch PackedError.unknownPacking {
      packed = nil
    }
    let known = Dictionary(
      (packed?.tensors ?? []).map { ($0.stored[0].name, $0) },
      uniquingKeysWith: { first, _ in first })
    let naming = TensorNaming(
      config: checkpoint.config,
      tensors: checkpoint.tensors.map { ($0.name, $0.info.dimensions) })
    tensors = checkpoint.tensors.compactMap { tensor in
      guard let packed else { return Self.describe(tensor, checkpoint, naming) }
      // Scales and biases are counted with their weight.
      return known[tensor.name].map { Self.describe($0, in: packed, naming) }
    }
    isPacked = tensors.contains { $0.packing != nil }
  }

  private static func describe(
    _ tensor: Checkpoint.Tensor, _ checkpoint: Checkpoint, _ naming: TensorNaming,
    sourceDType: DType? = nil
  ) -> Tensor {
    Tensor(
      name: tensor.name, file: checkpoint.fileName(of: tensor), dtype: tensor.info.dtype,
      shape: tensor.info.shape, byteCount: tensor.info.byteCount,
      parameterCount: tensor.info.elementCount,
      identity: naming.identify(
        name: tensor.name, dtype: tensor.info.dtype, shape: tensor.info.dimensions),
      sourceDType: sourceDType, packing: nil)
  }

  private static func describe(
    _ tensor: PackedCheckpoint.Tensor, in packed: PackedCheckpoint, _ naming: TensorNaming
  ) -> Tensor {
    let entry = tensor.entry
    let sourceDType = packed.isRecorded ? entry.sourceDType : nil
    guard case .affine(let layout) = entry.layout,
      let storage = packed.packedStorage(tensor)
    else {
      return describe(tensor.stored[0], packed.checkpoint, naming, sourceDType: sourceDType)
    }
    return Tensor(
      name: entry.name, file: packed.checkpoint.fileName(of: tensor.stored[0]), dtype: .u32,
      shape: entry.sourceShape, byteCount: storage.byteCount, parameterCount: storage.shape.count,
      identity: naming.identify(
        name: entry.name, dtype: entry.sourceDType,
        shape: entry.sourceShape.map { Int(clamping: $0) }, order: entry.order),
      sourceDType: sourceDType,
      packing: Packing(
        layout: layout, stored: tensor.stored.map(\.name),
        method: entry.method,
        error: entry.error.map {
          QuantizationError(
            squaredNorm: $0.squaredNorm, squaredError: $0.squaredError,
            largestError: $0.largestError)
        }))
  }
}
