import Foundation

/// Floating-point types of eight bits and fewer, as tables of the value of every code.
///
/// Sources: OCP 8-bit Floating Point Specification (E4M3, E5M2); OCP Microscaling Formats (E8M0,
/// E2M1, E2M3, E3M2); the FNUZ variants as ml_dtypes and PyTorch define them.
package enum SmallFloat {
  /// The values of all codes of `dtype`, by code; nil for a type that has no table.
  package static func table(_ dtype: DType) -> [Float]? {
    switch dtype {
    case .f8E4M3: f8E4M3
    case .f8E5M2: f8E5M2
    case .f8E4M3FNUZ: f8E4M3FNUZ
    case .f8E5M2FNUZ: f8E5M2FNUZ
    case .f8E8M0: f8E8M0
    case .f4: f4
    case .f6E2M3: f6E2M3
    case .f6E3M2: f6E3M2
    default: nil
    }
  }

  private static let f8E4M3 = values(exponentBits: 4, mantissaBits: 3, bias: 7) {
    $0 & 0x7F == 0x7F ? .nan : nil
  }
  private static let f8E5M2 = values(exponentBits: 5, mantissaBits: 2, bias: 15) { code in
    switch code & 0x7F {
    case 0x7C: code & 0x80 == 0 ? .infinity : -.infinity
    case 0x7D...0x7F: .nan
    default: nil
    }
  }
  private static let f8E4M3FNUZ = values(exponentBits: 4, mantissaBits: 3, bias: 8) {
    $0 == 0x80 ? .nan : nil
  }
  private static let f8E5M2FNUZ = values(exponentBits: 5, mantissaBits: 2, bias: 16) {
    $0 == 0x80 ? .nan : nil
  }
  private static let f4 = values(exponentBits: 2, mantissaBits: 1, bias: 1) { _ in nil }
  private static let f6E2M3 = values(exponentBits: 2, mantissaBits: 3, bias: 1) { _ in nil }
  private static let f6E3M2 = values(exponentBits: 3, mantissaBits: 2, bias: 3) { _ in nil }
  /// 2^(code - 127), without sign or mantissa; the smallest is a subnormal of `Float`.
  private static let f8E8M0 = (0..<256).map { code in
    code == 255 ? Float.nan : Float(sign: .plus, exponent: code - 127, significand: 1)
  }

  /// All values of a format of sign, exponent and mantissa; `special` names the codes that stand
  /// for something else.
  private static func values(
    exponentBits: Int, mantissaBits: Int, bias: Int, special: (Int) -> Float?
  ) -> [Float] {
    let signBit = 1 << (exponentBits + mantissaBits)
    return (0..<2 * signBit).map { code in
      if let value = special(code) { return value }
      let exponent = code >> mantissaBits & (1 << exponentBits - 1)
      let fraction = code & (1 << mantissaBits - 1)
      let significand = exponent == 0 ? fraction : fraction + 1 << mantissaBits
      let magnitude =
        Float(significand)
        * Float(sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: 1)
      return code & signBit == 0 ? magnitude : -magnitude
    }
  }
}
