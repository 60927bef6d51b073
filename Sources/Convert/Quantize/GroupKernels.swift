import Formats

/// The loops over one group of weights. Ranges are given as a start into a tile and a count.
enum GroupKernels {
  /// Adding and subtracting this rounds a small non-negative `Float` to the nearest integer, ties
  /// to even: what follows the point no longer fits the mantissa.
  @inline(__always) private static var roundingConstant: Float { 0x1.8p23 }

  /// Smallest and largest of finite weights.
  static func range(_ weights: Span<Float>, _ start: Int, _ count: Int) -> (Float, Float) {
    let group = weights.extracting(start..<start + count)
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
}
