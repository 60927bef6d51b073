import Foundation

/// KL divergence by relative squared error, through what was measured at some widths.
///
/// KL grows with the square of what is changed, so that between two widths the KL of a unit of error is taken to
/// change evenly with the logarithm of the error, and beyond them not at all.
package struct MeasuredLoss: Sendable, Equatable {
  /// By rising error: the logarithm of it, and the KL of a unit of it.
  private let slopes: [(logError: Double, slope: Double)]
  /// What was measured, by rising error.
  package let points: [Point]

  package struct Point: Sendable, Equatable {
    package let bits: Int
    /// Squared error over squared norm, of what was quantized.
    package let relativeError: Double
    /// Mean of KL(model || model with that quantized), in nats for each prediction.
    package let divergence: Double

    package init(bits: Int, relativeError: Double, divergence: Double) {
      self.bits = bits
      self.relativeError = relativeError
      self.divergence = divergence
    }
  }

  /// - Parameter points: those without an error say nothing. Without any other, nothing is ever lost.
  package init(_ points: [Point]) {
    let usable = points.filter { $0.relativeError > 0 }
      .sorted { $0.relativeError < $1.relativeError }
    self.points = usable
    slopes = usable.map { (log($0.relativeError), $0.divergence / $0.relativeError) }
  }

  package static func == (one: MeasuredLoss, other: MeasuredLoss) -> Bool {
    one.points == other.points
  }

  /// In nats for each prediction.
  package func divergence(at relativeError: Double) -> Double {
    guard relativeError > 0, !slopes.isEmpty else { return 0 }
    let place = log(relativeError)
    guard let next = slopes.firstIndex(where: { $0.logError >= place }), next > 0 else {
      let end = place <= slopes[0].logError ? slopes[0] : slopes[slopes.count - 1]
      return end.slope * relativeError
    }
    let (low, high) = (slopes[next - 1], slopes[next])
    let part = (place - low.logError) / (high.logError - low.logError)
    return (low.slope + part * (high.slope - low.slope)) * relativeError
  }
}
