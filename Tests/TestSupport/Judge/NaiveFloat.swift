import Foundation

/// Floating-point types by their definition: sign, exponent, fraction, and what the top codes mean.
/// Values are `Double`, which holds every one of them exactly.
package struct NaiveFloat: Sendable, Hashable {
  /// What codes that are no ordinary numbers stand for.
  enum Special {
    /// The largest exponent: infinity, and NaN where the fraction is not zero.
    case ieee
    /// All bits but the sign: NaN. There is no infinity.
    case allOnes
    /// The code of negative zero: NaN. There is no infinity.
    case negativeZero
  }

  /// As safetensors names it.
  package let name: String
  let exponentBits: Int
  let fractionBits: Int
  let bias: Int
  let special: Special

  package static let f16 = NaiveFloat(
    name: "F16", exponentBits: 5, fractionBits: 10, bias: 15, special: .ieee)
  package static let bf16 = NaiveFloat(
    name: "BF16", exponentBits: 8, fractionBits: 7, bias: 127, special: .ieee)
  package static let f32 = NaiveFloat(
    name: "F32", exponentBits: 8, fractionBits: 23, bias: 127, special: .ieee)
  package static let f64 = NaiveFloat(
    name: "F64", exponentBits: 11, fractionBits: 52, bias: 1023, special: .ieee)
  package static let f8 = [
    NaiveFloat(name: "F8_E4M3", exponentBits: 4, fractionBits: 3, bias: 7, special: .allOnes),
    NaiveFloat(name: "F8_E5M2", exponentBits: 5, fractionBits: 2, bias: 15, special: .ieee),
    NaiveFloat(
      name: "F8_E4M3FNUZ", exponentBits: 4, fractionBits: 3, bias: 8, special: .negativeZero),
    NaiveFloat(
      name: "F8_E5M2FNUZ", exponentBits: 5, fractionBits: 2, bias: 16, special: .negativeZero),
  ]
  package static let all = [f16, bf16, f32, f64] + f8

  package static func named(_ name: String) -> NaiveFloat { all.first { $0.name == name }! }

  package var byteCount: Int { (1 + exponentBits + fractionBits) / 8 }

  /// The number that a code stands for.
  package func value(_ code: UInt64) -> Double {
    let signBit = UInt64(1) << UInt64(exponentBits + fractionBits)
    let sign: Double = code & signBit == 0 ? 1 : -1
    let magnitude = code & (signBit - 1)
    let exponent = Int(magnitude >> UInt64(fractionBits))
    let fraction = Double(magnitude & (1 << UInt64(fractionBits) - 1))
    switch special {
    case .ieee where exponent == 1 << exponentBits - 1:
      return fraction == 0 ? sign * .infinity : .nan
    case .allOnes where magnitude == signBit - 1: return .nan
    case .negativeZero where code == signBit: return .nan
    default: break
    }
    let unit = power(of: max(exponent, 1))
    let implicit = exponent == 0 ? 0 : Double(UInt64(1) << UInt64(fractionBits))
    return sign * (implicit + fraction) * unit
  }

  /// The weight of the last fraction bit beside a stored exponent.
  private func power(of exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent - bias - fractionBits, significand: 1)
  }

  /// The nearest number that the type holds, of two equally near ones the one with an even
  /// fraction; infinity beyond the range. For the types with infinities.
  package func round(_ value: Double) -> Double {
    guard value.isFinite, value != 0, fractionBits < 52 else { return value }
    let unit = power(of: max(Int(value.exponent) + bias, 1))
    let rounded = (value / unit).rounded(.toNearestOrEven) * unit
    let limit = Double(sign: .plus, exponent: bias + 1, significand: 1)
    if rounded.magnitude >= limit { return value < 0 ? -.infinity : .infinity }
    return rounded == 0 ? (value < 0 ? -0.0 : 0) : rounded
  }

  /// The code of a number that the type holds.
  package func code(_ value: Double) -> UInt64 {
    let sign = UInt64(value.sign == .minus ? 1 : 0) << UInt64(exponentBits + fractionBits)
    guard value != 0 else { return sign }
    let exponent = max(Int(value.exponent) + bias, 1)
    let steps = UInt64(value.magnitude / power(of: exponent))
    let isSubnormal = steps < UInt64(1) << UInt64(fractionBits)
    // The implicit bit of `steps` counts one exponent.
    let lead = isSubnormal ? 0 : UInt64(exponent - 1) << UInt64(fractionBits)
    return sign | (lead + steps)
  }

  package func decode(_ bytes: [UInt8]) -> [Double] {
    stride(from: 0, to: bytes.count, by: byteCount).map { start in
      value((0..<byteCount).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) })
    }
  }

  /// Rounds and stores.
  package func encode(_ values: [Double]) -> [UInt8] {
    values.flatMap { value in
      let code = code(round(value))
      return (0..<byteCount).map { UInt8(truncatingIfNeeded: code >> UInt64(8 * $0)) }
    }
  }
}
