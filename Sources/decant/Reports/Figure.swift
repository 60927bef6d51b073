import Foundation

/// A measured number in three significant digits, as tables show it: `0.0213`, `4.20`, `187`,
/// `1.2e-05`. A dash where there is none.
func figure(_ value: Double?) -> String {
  guard let value, !value.isNaN else { return "-" }
  guard value.isFinite else { return value > 0 ? "inf" : "-inf" }
  let magnitude = value.magnitude
  if magnitude == 0 { return "0" }
  switch magnitude {
  case ..<0.001: return String(format: "%.1e", value)
  case ..<0.1: return String(format: "%.4f", value)
  case ..<1: return String(format: "%.3f", value)
  case ..<10: return String(format: "%.2f", value)
  case ..<100: return String(format: "%.1f", value)
  case ..<1e6: return String(format: "%.0f", value)
  default: return String(format: "%.1e", value)
  }
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
