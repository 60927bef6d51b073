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
    var entries: [String: Manifest.Entry] = [:]
    if checkpoint.files.contains(where: { $0.header.metadataValue(Manifest.manifestKey) != nil }) {
      for tensor in try PackedCheckpoint(checkpoint).tensors {
        for stored in tensor.stored { entries[stored.name] = tensor.entry }
      }
    }
    let naming = TensorNaming(
      config: checkpoint.config,
      tensors: checkpoint.tensors.map { ($0.name, $0.info.dimensions) })
    let byName = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let quantization = QuantizationBlock(checkpoint.config)
    let tensors = try checkpoint.tensors.compactMap { tensor in
      try Self.describe(
        tensor, entry: entries[tensor.name], byName: byName, checkpoint: checkpoint,
        quantization: quantization, naming: naming)
    }
    self.tensors = tensors
    isPacked = tensors.contains { $0.packing != nil }
  }

  /// Nil for scales and biases, which are counted with their weight.
  private static func describe(
    _ tensor: Checkpoint.Tensor, entry: Manifest.Entry?, byName: [String: Checkpoint.Tensor],
    checkpoint: Checkpoint, quantization: QuantizationBlock, naming: TensorNaming
  ) throws -> Tensor? {
    let path = modulePath(of: tensor.name)
    let isParameter = tensor.name.hasSuffix(".scales") || tensor.name.hasSuffix(".biases")
    // The names of other parts are only made up where there may be some.
    let mayBePacked = isParameter || tensor.info.dtype == .u32
    let words = mayBePacked ? byName[path + ".weight"] : nil
    let scales = mayBePacked ? byName[path + ".scales"] : nil
    let biases = mayBePacked ? byName[path + ".biases"] : nil
    if let words, let scales, let biases, words.info.dtype == .u32,
      let (layout, inputs) = layout(words, scales, path: path, entry: entry, quantization)
    {
      let file = checkpoint.files[words.file].path
      let groups = scales.info.shape
      for (part, shape) in [
        (words, groups.dropLast() + [UInt64(inputs / 32 * layout.bits)]), (biases, groups),
      ] where part.info.shape != shape {
        throw PackedError.wrongTensor(
          file: file, tensor: part.name, shape: part.info.shape, dtype: part.info.dtype,
          expectedShape: shape, expectedDTypes: [part.info.dtype])
      }
      guard !isParameter else { return nil }
      let shape = entry?.sourceShape ?? words.info.shape.dropLast() + [UInt64(inputs)]
      return Tensor(
        name: entry?.name ?? tensor.name, file: checkpoint.fileName(of: tensor), dtype: .u32,
        shape: Array(shape),
        byteCount: words.info.byteCount + scales.info.byteCount + biases.info.byteCount,
        parameterCount: scales.info.elementCount * layout.groupSize,
        identity: naming.identify(
          name: entry?.name ?? tensor.name, dtype: entry?.sourceDType ?? scales.info.dtype,
          shape: shape.map { Int(clamping: $0) }),
        sourceDType: entry?.sourceDType,
        packing: Packing(
          layout: layout, stored: [words.name, scales.name, biases.name],
          method: entry?.method,
          error: entry?.error.map {
            QuantizationError(
              squaredNorm: $0.squaredNorm, squaredError: $0.squaredError,
              largestError: $0.largestError)
          }))
    }
    return Tensor(
      name: tensor.name, file: checkpoint.fileName(of: tensor), dtype: tensor.info.dtype,
      shape: tensor.info.shape, byteCount: tensor.info.byteCount,
      parameterCount: tensor.info.elementCount,
      identity: naming.identify(
        name: tensor.name, dtype: tensor.info.dtype, shape: tensor.info.dimensions),
      sourceDType: entry?.sourceDType, packing: nil)
  }

  private static func modulePath(of name: String) -> String {
    for suffix in [".weight", ".scales", ".biases"] where name.hasSuffix(suffix) {
      return String(name.dropLast(suffix.count))
    }
    return name
  }

  /// The layout that the manifest gives or, in a file of MLX's own, the one that the configured
  /// group size and the shapes leave; with the number of inputs.
  private static func layout(
    _ words: Checkpoint.Tensor, _ scales: Checkpoint.Tensor, path: String, entry: Manifest.Entry?,
    _ quantization: QuantizationBlock
  ) -> (AffineLayout, inputs: Int)? {
    guard let wordCount = words.info.dimensions.last, let groups = scales.info.dimensions.last,
      groups > 0, wordCount > 0, wordCount < 1 << 40, groups < 1 << 40
    else { return nil }
    if case .affine(let layout)? = entry?.layout { return (layout, groups * layout.groupSize) }
    let groupSize = quantization.entry(of: path)?["group_size"]?.intValue ?? 64
    guard AffineLayout.allowedGroupSizes.contains(groupSize) else { return nil }
    let inputs = groups * groupSize
    guard wordCount * 32 % inputs == 0,
      let layout = AffineLayout(bits: wordCount * 32 / inputs, groupSize: groupSize)
    else { return nil }
    return (layout, inputs)
  }
}
