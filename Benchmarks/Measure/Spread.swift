import Foundation

/// The middle and the ends of repeated measurements.
struct Spread {
  let median: Double
  let least: Double
  let most: Double

  /// - Precondition: there are values.
  init(_ values: [Double]) {
    let sorted = values.sorted()
    median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    least = sorted[0]
    most = sorted[sorted.count - 1]
  }

  /// As in `1.52 (1.48–1.60)`.
  var text: String { "\(Self.text(median)) (\(Self.text(least))–\(Self.text(most)))" }

  /// Three digits.
  static func text(_ value: Double) -> String {
    String(format: "%.\(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)f", value)
  }
}
