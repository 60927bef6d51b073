/// MLX's affine layout: unsigned codes packed along each row, with a scale and a bias for every
/// group of consecutive weights of the row; `w = code * scale + bias`.
///
/// For weights `[..., O, I]`: packed words U32 `[..., O, I * bits / 32]`, scales and biases
/// `[..., O, I / groupSize]`. A row is one little-endian bit stream, so code `i` takes bits
/// `i * bits ..< (i + 1) * bits`; as a group is a multiple of 32 codes it fills whole words, and a
/// tensor is simply a run of groups.
/// Source: ml-explore/mlx, `mlx/backend/cpu/quantized.cpp`, `mlx/ops.cpp`.
package struct AffineLayout: Sendable, Hashable {
  package static let allowedBits = [2, 3, 4, 5, 6, 8]
  package static let allowedGroupSizes = [32, 64, 128]

  package let bits: Int
  package let groupSize: Int

  /// Nil where MLX has no such layout.
  package init?(bits: Int, groupSize: Int) {
    guard Self.allowedBits.contains(bits), Self.allowedGroupSizes.contains(groupSize) else {
      return nil
    }
    self.bits = bits
    self.groupSize = groupSize
  }

  /// Largest code, 2^bits - 1.
  package var largestCode: Int { 1 << bits - 1 }

  /// Bytes of packed codes per group.
  package var bytesPerGroup: Int { groupSize * bits / 8 }

  /// Packs the first `count` of `codes`, a multiple of eight, into `count * bits / 8` bytes.
  package func pack(_ codes: [UInt8], count: Int, into bytes: inout [UInt8]) {
    var output = bytes.mutableSpan
    ElementKernels.pack(codes.span, count: count, bits: bits, into: &output)
  }

  /// The inverse of `pack`: reads `count` codes from the start of `bytes`.
  package func unpack(_ bytes: [UInt8], count: Int, into codes: inout [UInt8]) {
    var output = codes.mutableSpan
    ElementKernels.unpack(bytes.span, count: count, bits: bits, into: &output)
  }

  /// Decodes whole groups as MLX does, with two roundings to `type`: of the product, then of the
  /// sum. `type` is the promotion of the types that scales and biases are stored in.
  ///
  /// - Parameters:
  ///   - codes: `groupCount * groupSize` codes from the start.
  ///   - scales, biases: one per group, as stored.
  ///   - weights: receives the decoded weights from its start.
  package func dequantize(
    codes: [UInt8], scales: [Float], biases: [Float], groupCount: Int, in type: ScaleType,
    into weights: inout [Float]
  ) {
    precondition(codes.count >= groupCount * groupSize && weights.count >= groupCount * groupSize)
    precondition(scales.count >= groupCount && biases.count >= groupCount)
    let source = codes.span
    var output = weights.mutableSpan
    var group = 0
    while true {
      group = ElementKernels.dequantize(
        source, scales: scales.span, biases: biases.span, from: group, groupCount: groupCount, self,
        type, into: &output)
      guard group < groupCount else { return }
      let start = group * groupSize
      dequantizeGroup(
        source, at: start, scale: scales[group], bias: biases[group], in: type, into: &output,
        at: start)
      group += 1
    }
  }

  /// Decodes one group, as `dequantize` does, whatever its numbers are.
  package func dequantizeGroup(
    _ codes: Span<UInt8>, at codeStart: Int, scale: Float, bias: Float, in type: ScaleType,
    into weights: inout MutableSpan<Float>, at start: Int
  ) {
    // A span of the group alone: its bounds are checked once, and the loop becomes vectors.
    let source = codes.extracting(codeStart..<codeStart + groupSize)
    // Chosen once, outside the loop.
    switch type {
    case .f16:
      decode(source, scale, bias, &weights, start) {
        HalfPrecision.f16ToFloat(HalfPrecision.floatToF16($0))
      }
    case .bf16:
      decode(source, scale, bias, &weights, start) {
        HalfPrecision.bf16ToFloat(HalfPrecision.floatToBF16($0))
      }
    case .f32: decode(source, scale, bias, &weights, start) { $0 }
    }
  }

  @inline(__always)
  private func decode(
    _ codes: Span<UInt8>, _ scale: Float, _ bias: Float, _ output: inout MutableSpan<Float>,
    _ start: Int, _ round: (Float) -> Float
  ) {
    precondition(start >= 0 && start <= output.count - codes.count)
    for i in 0..<codes.count { output[start &+ i] = round(round(Float(codes[i]) * scale) + bias) }
  }
}
