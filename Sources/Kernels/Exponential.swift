extension SIMD8<Float> {
  /// `e^x` of each, within one unit in the last place: 0 below -104, infinity above 88.73, NaN of NaN.
  ///
  /// `x = n ln 2 + r` with a whole `n` and `|r| ≤ ln 2 / 2`; `ln 2` is subtracted in two parts, the first so
  /// short that its products are exact (Cody and Waite, "Software Manual for the Elementary Functions", 1980).
  /// `e^r` is its Taylor polynomial up to `r^7`, which leaves out less than `2^-27`. Products are rounded before
  /// they are added, so that all levels compute the same.
  @inline(__always)
  var exponentials: Lanes {
    // Comparisons are false for NaN, which stays.
    let least = Lanes(repeating: -104)
    let most = Lanes(repeating: 89)
    let x = replacing(with: least, where: self .< least).replacing(with: most, where: self .> most)
    // Rounds to whole numbers, as `rounding`, and negative ones too.
    let shifted = x * 0x1.715476p0 + Lanes.rounding
    let whole = shifted - Lanes.rounding
    let rest = (x - whole * 0x1.62e4p-1) - whole * 0x1.7f7d1cp-20
    var sum = rest * 0x1.a01a02p-13 + 0x1.6c16c2p-10
    sum = sum * rest + 0x1.111112p-7
    sum = sum * rest + 0x1.555556p-5
    sum = sum * rest + 0x1.555556p-3
    sum = sum * rest + 0.5
    let power = (rest * rest) * sum + rest + 1
    // 2^n as two factors: results may be smaller than the least normal number, n larger than its exponents.
    let n = SIMD8<Int32>(truncatingIfNeeded: shifted.bitPatterns &- Lanes.rounding.bitPatterns)
    let half = n &>> 1
    return power * Self.powerOfTwo(half) * Self.powerOfTwo(n &- half)
  }

  @inline(__always)
  private static func powerOfTwo(_ n: SIMD8<Int32>) -> Lanes {
    Lanes(bitPatterns: SIMD8<UInt32>(truncatingIfNeeded: (n &+ 127) &<< 23))
  }
}

extension MutableSpan<Float> {
  /// Replaces numbers by what `body` makes of eight at a time; behind the last it is given `filler`.
  @inline(__always)
  mutating func replaceEights(
    _ range: Range<Int>, filler: Float, _ body: (Lanes) -> Lanes
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    var index = range.lowerBound
    while index &+ 8 <= range.upperBound {
      setEight(body(span.eight(index)), index)
      index &+= 8
    }
    guard index < range.upperBound else { return }
    var lanes = Lanes(repeating: filler)
    for lane in 0..<range.upperBound &- index {
      lanes[lane] = unsafe self[unchecked: index &+ lane]
    }
    lanes = body(lanes)
    for lane in 0..<range.upperBound &- index {
      unsafe self[unchecked: index &+ lane] = lanes[lane]
    }
  }
}
