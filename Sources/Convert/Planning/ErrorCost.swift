import Foundation

/// What an error in a tensor costs, by its relative squared error.
package enum ErrorCost: Sendable, Equatable {
  /// So much for each unit: a guess from the tensor's place in the model, compared with the output head.
  case share(Double)
  /// KL divergence in nats, measured with the tensor alone quantized (`Sensitivity`).
  case measured(MeasuredLoss)

  var isMeasured: Bool { if case .measured = self { true } else { false } }

  /// What was measured, for people; nil where nothing was.
  var text: String? {
    guard case .measured(let loss) = self, !loss.points.isEmpty else { return nil }
    return "KL alone: "
      + loss.points.map { String(format: "%.3g at %d bits", $0.divergence, $0.layout.bits) }
      .joined(separator: ", ")
  }

  /// What an error counts.
  func loss(of relativeError: Double) -> Double {
    switch self {
    case .share(let weight): weight * relativeError
    case .measured(let loss): loss.divergence(at: relativeError)
    }
  }
}

/// KL divergence by relative squared error, through what was measured at some widths.
///
/// KL grows with the square of what is changed, so that between two widths the KL of a unit of error is taken to
/// change evenly with the logarithm of the error, and beyond them not at all.
package struct MeasuredLoss: Sendable, Equatable {
  /// By rising error: the logarithm of it, and the KL of a unit of it.
  private let slopes: [(logError: Double, slope: Double)]
  /// What was measured, by rising error.
  package let points: [Sensitivity.Point]

  /// - Parameter points: those without an error say nothing. Without any other, nothing is ever lost.
  package init(_ points: [Sensitivity.Point]) {
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
