import Foundation

/// What a lossy step did to a run of values: enough to give SQNR, the relative and the largest error.
///
/// Sums are `Double`. Merging adds them, so the result depends on the order of merging in its last
/// bits; callers that promise reproducible output merge in a fixed order.
/// SQNR and the relative Frobenius error: docs/FORMAT.md gives the formulas.
package struct QuantizationError: Sendable, Equatable {
  /// Sum of squares of the source values.
  package var squaredNorm: Double
  /// Sum of squares of `source - decoded`.
  package var squaredError: Double
  /// Largest `|source - decoded|`.
  package var largestError: Double

  package init(squaredNorm: Double = 0, squaredError: Double = 0, largestError: Double = 0) {
    self.squaredNorm = squaredNorm
    self.squaredError = squaredError
    self.largestError = largestError
  }

  /// Adds what `other` saw.
  package mutating func merge(_ other: QuantizationError) {
    squaredNorm += other.squaredNorm
    squaredError += other.squaredError
    largestError = max(largestError, other.largestError)
  }

  /// Signal to quantization noise ratio in dB, `10 log10(squaredNorm / squaredError)`, with the raw
  /// (not mean-removed) signal power. Infinite where nothing was lost; `nil` where the source is
  /// all zero and something was lost, for then no ratio exists.
  package var sqnrDecibels: Double? {
    if squaredError == 0 { return .infinity }
    if squaredNorm == 0 { return nil }
    return 10 * log10(squaredNorm / squaredError)
  }

  /// Relative Frobenius error `||W - W'|| / ||W||`; 0 where nothing was lost, `nil` as above.
  package var relativeError: Double? {
    if squaredError == 0 { return 0 }
    if squaredNorm == 0 { return nil }
    return (squaredError / squaredNorm).squareRoot()
  }
}
