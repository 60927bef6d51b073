import Foundation

/// A measured number in three significant digits, as tables show it: `0.0213`, `0.00620`, `4.20`, `187`,
/// `1.23e-5`. A dash where there is none.
func figure(_ value: Double?) -> String {
  guard let value, !value.isNaN else { return "-" }
  guard value.isFinite else { return value > 0 ? "inf" : "-inf" }
  return threeDigits(value)
}

/// The notation that text and pages share: three significant digits, all digits of whole numbers from a
/// thousand on, and an exponent where there would be many zeros.
///
/// - Parameter value: finite.
func threeDigits(_ value: Double, grouped: Bool = false) -> String {
  let size = value.magnitude
  if value == 0 { return "0" }
  if size >= 999_999.5 || size < 0.000_999_5 { return exponentText(value) }
  if size >= 999.5 {
    let whole = Int(size.rounded())
    return (value < 0 ? "-" : "") + (grouped ? groupedText(whole) : "\(whole)")
  }
  let decimals =
    switch size {
    case ..<0.009_995: 5
    case ..<0.099_95: 4
    case ..<0.999_5: 3
    case ..<9.995: 2
    case ..<99.95: 1
    default: 0
    }
  return String(format: "%.\(decimals)f", value)
}

/// `1.23e-5`, without the zeros that C puts into the exponent.
private func exponentText(_ value: Double) -> String {
  let parts = String(format: "%.2e", value).split(separator: "e")
  return "\(parts[0])e\(Int(parts[1]) ?? 0)"
}

/// A ratio of signal to noise in dB: `21.3`; `exact` where nothing was lost, a dash where there is
/// no such ratio.
func decibels(_ value: Double?) -> String {
  guard let value, !value.isNaN else { return "-" }
  return value.isFinite ? String(format: "%.1f", value) : "exact"
}

/// A share as a percentage with as many digits as it takes to tell it from 0: `1.5 %`, `0.0031 %`.
func percent(_ share: Double?) -> String {
  guard let share, !share.isNaN else { return "-" }
  return figure(share * 100) + " %"
}
