/// The numbers that the 65,536 patterns of a 16-bit index stand for.
///
/// An F16 or BF16 tensor has no other values, so counting patterns loses nothing. Of an F32 value
/// the leading 16 bits are the index of a bin: sign, exponent and seven bits of the mantissa.
package struct PatternValues: Sendable {
  /// By pattern. NaN where the pattern is one; a bin has its middle as value.
  package let values: [Float]
  /// Whether every pattern is one number.
  package let isExact: Bool
  /// Smallest normal magnitude of the element type; what lies below and is not zero is subnormal.
  package let smallestNormal: Float

  /// Patterns of a 16-bit floating-point type with a sign bit, then exponent, then mantissa.
  ///
  /// - Parameter value: the number that a pattern stands for.
  package init(smallestNormal: Float, value: (UInt16) -> Float) {
    values = (0...UInt16.max).map(value)
    isExact = true
    self.smallestNormal = smallestNormal
  }

  private init(bins: [Float]) {
    values = bins
    isExact = false
    smallestNormal = .leastNormalMagnitude
  }

  /// Bins of F32 values by their leading 16 bits. The middle of a bin is within `relativeError` of
  /// every normal value in it.
  package static let leadingBits = PatternValues(
    bins: (0...UInt16.max).map { pattern in
      // The bins around zero hold zero and subnormals, the last ones infinity and NaN.
      let magnitude = pattern & 0x7FFF
      if magnitude == 0 { return 0 }
      let middle: UInt32 = magnitude >= 0x7F80 ? 0 : 0x8000
      return Float(bitPattern: UInt32(pattern) << 16 | middle)
    })

  /// Largest relative distance of a value from what its pattern stands for: 0, or half the width
  /// of a bin.
  package var relativeError: Double { isExact ? 0 : 0x1p-8 }

  /// Patterns in the order of their values, from the most negative to the most positive; NaN and
  /// infinity, whose exponent is all ones, come first and last.
  static func ascending(_ position: Int) -> Int {
    position < 0x8000 ? 0xFFFF - position : position - 0x8000
  }
}
