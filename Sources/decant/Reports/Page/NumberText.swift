import Foundation

/// As `figure`, with thousands apart, and signs that a page can show.
func figureText(_ value: Double?) -> String {
  guard let value, !value.isNaN else { return "–" }
  guard value.isFinite else { return value > 0 ? "∞" : "-∞" }
  return threeDigits(value, grouped: true)
}

/// A ratio of signal to noise in dB; `exact` where nothing was lost.
func decibelText(_ value: Double?) -> String {
  guard let value, !value.isNaN else { return "–" }
  if value == .infinity { return "exact" }
  return value.isFinite ? String(format: "%.1f", value) : "-∞"
}

/// With as many digits behind the point.
func decimalText(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// As `figureText`, with a sign before what is above 0 too.
func signedText(_ value: Double) -> String { (value > 0 ? "+" : "") + figureText(value) }

/// `1,234,567`.
func groupedText(_ number: Int) -> String {
  let digits = String(number.magnitude)
  var grouped = number < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { grouped.append(",") }
    grouped.append(digit)
  }
  return grouped
}

/// `1 layer`, `3 layers`.
func countText(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(groupedText(count)) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// A share from 0 to 1 as a percentage.
func percentText(_ share: Double?) -> String {
  guard let share else { return "–" }
  return share == 0 ? "0 %" : share < 0.000_01 ? "< 0.001 %" : figureText(share * 100) + " %"
}

/// To a tenth, without a zero behind the point.
func coordinateText(_ coordinate: Double) -> String {
  let tenths = (coordinate * 10).rounded()
  guard tenths.magnitude < 1e9 else { return "0" }
  let whole = Int(tenths)
  let (number, rest) = (whole.magnitude / 10, whole.magnitude % 10)
  return (whole < 0 ? "-" : "") + "\(number)" + (rest == 0 ? "" : ".\(rest)")
}

/// Two significant digits, where there is little room.
func roughText(_ value: Double) -> String {
  value >= 0.000_95 && value < 99.5
    ? String(
      format: value >= 9.95 ? "%.0f" : value >= 0.95 ? "%.1f" : value >= 0.095 ? "%.2f" : "%.3f",
      value)
    : figureText(value)
}
