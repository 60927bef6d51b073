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
    precondition(count % 8 == 0 && codes.count >= count && bytes.count >= count / 8 * bits)
    let source = codes.span
    var output = bytes.mutableSpan
    var position = 0
    for start in stride(from: 0, to: count, by: 8) {
      var word: UInt64 = 0
      for i in 0..<8 { word |= UInt64(source[start + i]) &<< UInt64(i &* bits) }
      for _ in 0..<bits {
        output[position] = UInt8(truncatingIfNeeded: word)
        word &>>= 8
        position += 1
      }
    }
  }

  /// The inverse of `pack`: reads `count` codes from the start of `bytes`.
  package func unpack(_ bytes: [UInt8], count: Int, into codes: inout [UInt8]) {
    precondition(count % 8 == 0 && codes.count >= count && bytes.count >= count / 8 * bits)
    let source = bytes.span
    var output = codes.mutableSpan
    let mask = UInt64(largestCode)
    var position = 0
    for start in stride(from: 0, to: count, by: 8) {
      var word: UInt64 = 0
      for i in 0..<bits {
        word |= UInt64(source[position]) &<< UInt64(8 &* i)
        position += 1
      }
      for i in 0..<8 {
        output[start + i] = UInt8(truncatingIfNeeded: word & mask)
        word &>>= UInt64(bits)
      }
    }
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
    for group in 0..<groupCount {
      let start = group * groupSize
      dequantizeGroup(
        source, at: start, scale: scales[group], bias: biases[group], in: type, into: &output,
        at: start)
    }
  }

  /// Decodes one group, as `dequantize` does.
  package func dequantizeGroup(
    _ codes: Span<UInt8>, at codeStart: Int, scale: Float, bias: Float, in type: ScaleType,
    into weights: inout MutableSpan<Float>, at start: Int
  ) {
    // A span of the group alone: its bounds are checked once, and the loop becomes vectors.
    let source = codes.extracting(codeStart..<codeStart + groupSize)
    // Chosen once, outside the loop.
    switch type {
    case .f16 where isPlain(scale, bias, smallest: 0x1p-14, limit: 32000):
      decode(source, scale, bias, &weights, start) { HalfPrecision.roundedToF16(plain: $0) }
    case .bf16 where isPlain(scale, bias, smallest: 0, limit: 0x1p126):
      decode(source, scale, bias, &weights, start) { HalfPrecision.roundedToBF16(plain: $0) }
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

  /// Whether no product and no sum of a group is beyond `limit`, and no product but 0 is below
  /// `smallest`. With the least normal number of F16 for that, products are normal and sums below it
  /// exact, being of two multiples of 2^-24.
  private func isPlain(_ scale: Float, _ bias: Float, smallest: Float, limit: Float) -> Bool {
    abs(scale) >= smallest && abs(scale) * Float(largestCode) <= limit && abs(bias) <= limit
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
