import Foundation

/// Positive figures along an axis, by their logarithm.
struct LogScale: Sendable {
  let low: Double
  let high: Double

  /// Takes in all of `values` that are positive and normal, with a little room on both sides, and
  /// at least a factor of two.
  init(_ values: [Double]) {
    let sound = values.filter { $0.isNormal && $0 > 0 }
    let (least, most) = (sound.min() ?? 1, sound.max() ?? 1)
    let room = max(1.12, 2.4 / max(1, most / least)).squareRoot()
    low = max(least / room, .leastNormalMagnitude)
    high = min(most * room, .greatestFiniteMagnitude)
  }

  /// 0 at the low end, 1 at the high end; nil for what is not positive and normal.
  func position(_ value: Double?) -> Double? {
    guard let value, value.isNormal, value > 0 else { return nil }
    // Quotients could overflow.
    return (log2(value) - log2(low)) / (log2(high) - log2(low))
  }

  /// Two to five round figures on the axis: powers of ten if they do, else finer ones.
  var ticks: [Double] {
    for digits in [[1.0], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]] {
      let found = multiples(digits)
      guard found.count >= 2 else { continue }
      let step = (found.count + 4) / 5
      return stride(from: 0, to: found.count, by: step).map { found[$0] }
    }
    return multiples([1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9])
  }

  private func multiples(_ digits: [Double]) -> [Double] {
    let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    return exponents.flatMap { exponent in digits.map { $0 * pow(10, Double(exponent)) } }
      .filter { $0 >= low && $0 <= high }
  }
}
