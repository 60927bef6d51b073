import Foundation

/// Nine steps of colour for a figure; the ninth is the one to look at.
struct HeatScale: Sendable {
  /// Where steps 1 to 8 begin, coming from the harmless side.
  private let limits: [Double]
  /// Whether small figures are the harmful ones.
  private let isFalling: Bool

  /// The same for all models and kinds, for kurtosis means the same everywhere: 3 is normal.
  static let kurtosis = HeatScale(
    limits: [3.25, 4, 5, 7, 10, 20, 50, 200], isFalling: false)

  /// Of the median: the same for all maps of magnitudes.
  static let multiples = HeatScale(limits: [1.25, 1.5, 2, 3, 4, 6, 10, 20], isFalling: false)

  /// Equal ratios between the least and the largest of `values`, over a factor of eight or more.
  static func logarithmic(_ values: [Double]) -> HeatScale {
    let sound = values.filter { $0 > 0 && $0.isFinite }
    let (least, most) = (sound.min() ?? 1, sound.max() ?? 1)
    let room = max(1, 8 / (most / least)).squareRoot()
    let (low, high) = (log2(least / room), log2(most * room))
    return HeatScale(
      limits: (1...8).map { exp2(low + (high - low) * Double($0) / 9) }, isFalling: false)
  }

  /// The same for all models and kinds, in steps of 3 dB, half a bit. The fourth colour is that of normally
  /// distributed weights at 4 bits in groups of 64.
  static let sqnr = HeatScale(limits: [29, 26, 23, 20, 17, 14, 11, 8], isFalling: true)

  /// 0 to 8; nil where there is no figure.
  func step(_ value: Double?) -> Int? {
    guard let value, !value.isNaN else { return nil }
    return limits.count { isFalling ? value <= $0 : value >= $0 }
  }

  /// The colours with the figures at which they begin.
  func legend(_ text: (Double) -> String) -> Markup {
    let steps: Markup = (0...8).map { step in
      let words = step == 0 ? (isFalling ? "more" : "less") : text(limits[step - 1])
      return "<li class=\"c\(step)\">\(words)</li>"
    }.joined()
    return "<ul class=\"legend\" aria-label=\"Colours and where they begin\">\(steps)</ul>"
  }
}
