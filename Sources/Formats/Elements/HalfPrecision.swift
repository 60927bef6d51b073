/// The two 16-bit floating-point types that checkpoints use, converted by integer arithmetic:
/// exact, and the same on every processor.
///
/// `Float16` is missing on Intel Macs and its conversions are library calls here; Swift has no
/// BF16 at all. Narrowing rounds to nearest, ties to even, as IEEE 754 and every framework do.
package enum HalfPrecision: Sendable {
  case f16
  case bf16

  /// Largest finite value.
  package var largestFinite: Float {
    switch self {
    case .f16: 65504
    case .bf16: 0x1.FEp127
    }
  }

  /// The value of a bit pattern, exactly. A NaN keeps its payload.
  @inline(__always)
  package static func f16ToFloat(_ bits: UInt16) -> Float {
    // Shifted into place the pattern is the value times 2^-112, subnormals included: the
    // multiplication is exact. Infinity and NaN need the exponent filled.
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let filled = magnitude >= 0x0F80_0000 ? scaled | 0x7F80_0000 : scaled
    return Float(bitPattern: filled | UInt32(bits & 0x8000) << 16)
  }

  /// The same of a pattern that is neither infinity nor NaN.
  @inline(__always)
  package static func f16ToFloat(finite bits: UInt16) -> Float {
    // Widened with its sign, so that one mask leaves sign and magnitude in their places.
    let widened = UInt32(bitPattern: Int32(Int16(bitPattern: bits)))
    return Float(bitPattern: (widened &<< 13) & 0x8FFF_E000) * 0x1p112
  }

  /// The value of a bit pattern, exactly.
  @inline(__always)
  package static func bf16ToFloat(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// The nearest F16 pattern. Overflow gives infinity, a NaN a quiet NaN.
  @inline(__always)
  package static func floatToF16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    let result: UInt32
    if magnitude >= 0x4780_0000 {  // 65536 and up, infinity, NaN
      result = magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00
    } else if magnitude < 0x3880_0000 {  // below 2^-14: an F16 subnormal
      // Adding 0.5 puts the units of 2^-24 at the end of the mantissa, and rounds.
      result = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
    } else {
      let odd = (magnitude >> 13) & 1
      result = (magnitude &+ 0xC800_0FFF &+ odd) >> 13
    }
    return UInt16(truncatingIfNeeded: result) | sign
  }

  /// The nearest BF16 pattern. Overflow gives infinity, a NaN a quiet NaN.
  @inline(__always)
  package static func floatToBF16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
    let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
    return UInt16(truncatingIfNeeded: isNaN ? (bits >> 16) | 0x0040 : rounded)
  }
}
