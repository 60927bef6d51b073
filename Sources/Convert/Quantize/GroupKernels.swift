import Formats

/// The loops over one group of weights. Ranges are given as a start into a tile and a count.
enum GroupKernels {
  /// Adding and subtracting this rounds a small non-negative `Float` to the nearest integer, ties
  /// to even: what follows the point no longer fits the mantissa.
  @inline(__always) private static var roundingConstant: Float { 0x1.8p23 }

  /// Smallest and largest of finite weights.
  static func range(_ weights: Span<Float>, _ start: Int, _ count: Int) -> (Float, Float) {
    let group = weights.extracting(start..<start + count)
    guard count % 8 == 0 else { return rangeInOrder(group) }
    var lows = group.eight(at: 0)
    var highs = lows
    for base in stride(from: 8, to: count, by: 8) {
      let weights = group.eight(at: base)
      lows.replace(with: weights, where: weights .< lows)
      highs.replace(with: weights, where: weights .> highs)
    }
    let (low, high) = (lows.min(), highs.max())
    // Of zeros of both signs, the first counts.
    return low == 0 || high == 0 ? rangeInOrder(group) : (low, high)
  }

  private static func rangeInOrder(_ group: Span<Float>) -> (Float, Float) {
    var low = group[0]
    var high = low
    for i in 0..<group.count {
      let weight = group[i]
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
    let group = weights.extracting(start..<start + count)
    precondition(codeStart >= 0 && codeStart <= codes.count - count)
    for i in 0..<group.count {
      var position = (group[i] - parameters.bias) / parameters.scale
      position = position > 0 ? position : 0
      position = position < limit ? position : limit
      codes[codeStart &+ i] = UInt8(
        truncatingIfNeeded: (position + roundingConstant).bitPattern)
    }
  }

  /// What decoded weights lose. All in `Double`, in four lanes added in order: the difference of two
  /// `Float`s is rounded where one is much the smaller.
  static func difference(
    _ weights: Span<Float>, _ start: Int, _ count: Int, decoded: Span<Float>, at decodedStart: Int
  ) -> (squared: Double, largest: Double) {
    let group = weights.extracting(start..<start + count)
    let values = decoded.extracting(decodedStart..<decodedStart + count)
    var lanes = SIMD4<Double>.zero
    var largest = SIMD4<Double>.zero
    for base in stride(from: 0, to: count, by: 4) {
      let difference =
        SIMD4<Double>(group.four(at: base)) - SIMD4<Double>(values.four(at: base))
      lanes += difference * difference
      var distance = difference
      distance.replace(with: -distance, where: distance .< 0)
      largest.replace(with: distance, where: distance .> largest)
    }
    let furthest = max(max(largest[0], largest[1]), max(largest[2], largest[3]))
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]), furthest)
  }

  /// Sum of the squared differences, each times its importance, in the same order as `difference`.
  static func weightedDifference(
    _ weights: Span<Float>, _ start: Int, _ count: Int, decoded: Span<Float>,
    importance: Span<Float>, at importanceStart: Int
  ) -> Double {
    let group = weights.extracting(start..<start + count)
    let values = decoded.extracting(0..<count)
    let counts = importance.extracting(importanceStart..<importanceStart + count)
    var lanes = SIMD4<Double>.zero
    for base in stride(from: 0, to: count, by: 4) {
      let difference =
        SIMD4<Double>(group.four(at: base)) - SIMD4<Double>(values.four(at: base))
      lanes += SIMD4<Double>(counts.four(at: base)) * difference * difference
    }
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }

  /// Sum of squares, in the same order as `difference`.
  static func squaredNorm(_ weights: Span<Float>, _ start: Int, _ count: Int) -> Double {
    let group = weights.extracting(start..<start + count)
    var lanes = SIMD4<Double>.zero
    for base in stride(from: 0, to: count, by: 4) {
      let four = SIMD4<Double>(group.four(at: base))
      lanes += four * four
    }
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }
}
