import Formats
import Model

/// The weights of a checkpoint that MLX packed, found by names, types and shapes: it has no manifest.
///
/// A packed module P has `P.weight` (U32), `P.scales` and `P.biases`. The configuration's `quantization`
/// block gives group size and bits, of the module or of the whole; without it nothing is decoded, for
/// the same shapes are those of several layouts.
/// Source: ml-explore/mlx-lm, `utils.py`; ml-explore/mlx, `python/mlx/nn/layers/quantized.py`.
struct MLXPacking {
  private let checkpoint: Checkpoint
  private let byName: [String: Checkpoint.Tensor]
  private let block: QuantizationBlock

  init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    byName = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    block = QuantizationBlock(checkpoint.config)
  }

  /// Every weight of the checkpoint, packed or not, in the order of its first stored tensor.
  ///
  /// - Throws: `PackedError.wrongTensor` where packed words, scales and biases do not fit one another;
  ///   `.unknownPacking` where there are words and scales in no known layout.
  func tensors() throws -> [PackedCheckpoint.Tensor] {
    try checkpoint.tensors.compactMap { tensor in
      // The names of other parts are only made up where there may be some.
      guard let path = Self.modulePath(of: tensor) else { return Self.plain(tensor) }
      let names = Manifest.Entry.packedNames(of: path + ".weight")
      guard let words = byName[names.weight], words.info.dtype == .u32,
        let scales = byName[names.scales]
      else { return Self.plain(tensor) }
      guard let biases = byName[names.biases],
        let layout = layout(words, scales, path: path),
        let storage = PackedStorage(
          affine: layout, [words, scales, biases], order: .outputMajor, of: checkpoint)
      else {
        throw PackedError.unknownPacking(
          file: checkpoint.files[words.file].path, tensor: words.name)
      }
      return tensor.name == words.name ? try packed(storage, layout) : nil
    }
  }

  private static func plain(_ tensor: Checkpoint.Tensor) -> PackedCheckpoint.Tensor {
    entry(
      tensor.name, .plain, dtype: tensor.info.dtype, shape: tensor.info.shape, stored: [tensor])
  }

  private func packed(
    _ storage: PackedStorage, _ layout: AffineLayout
  ) throws -> PackedCheckpoint.Tensor {
    let words = storage.parts[0]
    let shape = storage.parts[1].info.shape.dropLast() + [UInt64(storage.shape.inputs)]
    for (part, expected) in zip(
      storage.parts, storage.layout.parts(of: words.name, shape: Array(shape)))
    where part.info.shape != expected.shape {
      throw PackedError.wrongTensor(
        file: checkpoint.files[words.file].path, tensor: part.name, shape: part.info.shape,
        dtype: part.info.dtype, expectedShape: expected.shape,
        expectedDTypes: [part.info.dtype])
    }
    return Self.entry(
      words.name, .affine(layout), dtype: storage.decodedType.dtype,
      shape: Array(shape), stored: storage.parts)
  }

  /// An entry as a manifest would have it, of which nothing is recorded.
  private static func entry(
    _ name: String, _ layout: Manifest.Layout, dtype: DType, shape: [UInt64],
    stored: [Checkpoint.Tensor]
  ) -> PackedCheckpoint.Tensor {
    PackedCheckpoint.Tensor(
      entry: Manifest.Entry(
        name: name, layout: layout, sourceDType: dtype, sourceShape: shape,
        order: .outputMajor, stored: stored.map { .init(name: $0.name, digest: .blank) }, error: nil
      ),
      stored: stored)
  }

  /// The module of what may be a part of a packed weight; nil for any other tensor.
  private static func modulePath(of tensor: Checkpoint.Tensor) -> String? {
    let suffixes = tensor.info.dtype == .u32 ? [".weight"] : [".scales", ".biases"]
    return suffixes.first(where: tensor.name.hasSuffix).map {
      String(tensor.name.dropLast($0.count))
    }
  }

  /// The layout that the configuration gives; where it does not give the bits, the shapes do. Nil where
  /// there is none.
  private func layout(
    _ words: Checkpoint.Tensor, _ scales: Checkpoint.Tensor, path: String
  ) -> AffineLayout? {
    guard let wordCount = words.info.dimensions.last, let groups = scales.info.dimensions.last,
      groups > 0, wordCount > 0, wordCount < 1 << 40, groups < 1 << 40,
      Self.isCountable(scales.info)
    else { return nil }
    guard let entry = block.entry(of: path), let groupSize = entry["group_size"]?.intValue,
      AffineLayout.allowedGroupSizes.contains(groupSize)
    else { return nil }
    if let bits = entry["bits"]?.intValue { return AffineLayout(bits: bits, groupSize: groupSize) }
    let inputs = groups * groupSize
    guard wordCount * 32 % inputs == 0 else { return nil }
    return AffineLayout(bits: wordCount * 32 / inputs, groupSize: groupSize)
  }

  /// Whether the weights' bytes can be counted, in any type and group size.
  private static func isCountable(_ scales: TensorInfo) -> Bool {
    scales.elementCount < 1 << 50 && !scales.dimensions.contains { $0 >= 1 << 50 }
  }
}
