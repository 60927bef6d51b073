import Formats
import Foundation

/// Scales of a fold's channels, from what is known of their inputs and weights, rounded to powers of two: these
/// multiply weights of any binary type without rounding.
enum FoldScales {
  /// Exponents of the inputs' root mean squares that are tried.
  static let tried = (1...10).map { Double($0) / 10 }
  /// Beyond which scales of 16 bits might no longer hold what is divided.
  private static let limit = 8

  /// `s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)`.
  static func smoothed(inputs: [Float], weights: [Float], alpha: Double) -> [Int] {
    exponents(
      zip(inputs, weights).map { input, weight in
        input > 0 && weight > 0
          ? Smoothing.scale(input: Double(input), weight: Double(weight), alpha: alpha) : 0
      })
  }

  /// `s_j = sqrt(E[x_j²])^exponent`.
  static func weighted(meanSquares: [Float], exponent: Double) -> [Int] {
    exponents(meanSquares.map { pow(Double($0), exponent / 2) })
  }

  /// Powers of two next to the scales, once they are divided by the mean of the largest and the smallest: only
  /// their ratios matter, and so neither norms nor weights leave the range that they are in (AWQ's program
  /// divides by the same). Channels whose scale is 0 stay as they are.
  private static func exponents(_ scales: [Double]) -> [Int] {
    let logarithms = scales.map { $0 > 0 && $0.isFinite ? log2($0) : .nan }
    let known = logarithms.filter(\.isFinite)
    let middle = ((known.min() ?? 0) + (known.max() ?? 0)) / 2
    return logarithms.map {
      $0.isFinite ? min(max(Int(($0 - middle).rounded()), -limit), limit) : 0
    }
  }
}
