import Formats

/// The loops over one group of weights. Ranges are given as a start into a tile and a count.
enum GroupKernels {
  /// Adding and subtracting this rounds a small non-negative `Float` to the nearest integer, ties
  /// to even: what follows the point no longer fits the mantissa.
  @inline(__always) private static var roundingConstant: Float { 0x1.8p23 }

  /// Smallest and largest of finite weights.
  static func range(_ weights: Span<Float>, _ start: Int, _ count: Int) -> (Float, Float) {
    var low = weights[start]
    var high = low
    for i in start..<start + count {
      let weight = weights[i]
      low = weight < low ? weight : low
      high = weight > high ? weight : high
    }
    return (low, high)
  }

  /// The nearest code of every weight: `clamp(rint((w - bias) / scale), 0, largestCode)`.
  static func encode(
    _ weights: Span<Float>, _ start: Int, _ count: Int, with parameters: GroupParameters,
    largestCode: Int, into codes: inout MutableSpan<UInt8>, at codeStart: Int
  ) {
    guard parameters.scale != 0 else {
      for i in 0..<count { codes[codeStart + i] = 0 }
      return
    }
    let limit = Float(largestCode)
    for i in 0..<count {
      var position = (weights[start + i] - parameters.bias) / parameters.scale
      position = position > 0 ? position : 0
      position = position < limit ? position : limit
      codes[codeStart + i] = UInt8(
        truncatingIfNeeded: (position + roundingConstant).bitPattern)
    }
  }

  /// What decoding `codes` as MLX does loses. Sums in `Double`, in four lanes added in order.
  static func error(
    _ weights: Span<Float>, _ start: Int, _ count: Int, codes: Span<UInt8>, at codeStart: Int,
    with parameters: GroupParameters, in type: ScaleType
  ) -> (squared: Double, largest: Float) {
    switch type {  // chosen once, outside the loop
    case .f16:
      measure(weights, start, count, codes, codeStart, parameters) {
        HalfPrecision.f16ToFloat(HalfPrecision.floatToF16($0))
      }
    case .bf16:
      measure(weights, start, count, codes, codeStart, parameters) {
        HalfPrecision.bf16ToFloat(HalfPrecision.floatToBF16($0))
      }
    case .f32: measure(weights, start, count, codes, codeStart, parameters) { $0 }
    }
  }

  @inline(__always)
  private static func measure(
    _ weights: Span<Float>, _ start: Int, _ count: Int, _ codes: Span<UInt8>, _ codeStart: Int,
    _ parameters: GroupParameters, _ round: (Float) -> Float
  ) -> (squared: Double, largest: Float) {
    var lanes = SIMD4<Double>.zero
    var largest: Float = 0
    for base in stride(from: 0, to: count, by: 4) {
      var difference = SIMD4<Double>.zero
      for lane in 0..<4 {
        let i = base + lane
        let decoded = round(
          round(Float(codes[codeStart + i]) * parameters.scale) + parameters.bias)
        let distance = abs(weights[start + i] - decoded)
        largest = distance > largest ? distance : largest
        difference[lane] = Double(weights[start + i]) - Double(decoded)
      }
      lanes += difference * difference
    }
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]), largest)
  }

  /// Sum of squares, in the same order as `error`.
  static func squaredNorm(_ weights: Span<Float>, _ start: Int, _ count: Int) -> Double {
    var lanes = SIMD4<Double>.zero
    for base in stride(from: start, to: start + count, by: 4) {
      let four = SIMD4<Double>(
        Double(weights[base]), Double(weights[base + 1]), Double(weights[base + 2]),
        Double(weights[base + 3]))
      lanes += four * four
    }
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }
}

extension GroupKernels {
  /// What decoded weights lose, in the same order of sums as `error`.
  static func difference(
    _ weights: Span<Float>, _ decoded: Span<Float>, _ start: Int, _ count: Int
  ) -> (squared: Double, largest: Float) {
    var lanes = SIMD4<Double>.zero
    var largest: Float = 0
    for base in stride(from: start, to: start + count, by: 4) {
      var difference = SIMD4<Double>.zero
      for lane in 0..<4 {
        let distance = abs(weights[base + lane] - decoded[base + lane])
        largest = distance > largest ? distance : largest
        difference[lane] = Double(weights[base + lane]) - Double(decoded[base + lane])
      }
      lanes += difference * difference
    }
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]), largest)
  }
}
