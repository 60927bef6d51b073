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
      + loss.points.map { String(format: "%.3g at %d bits", $0.divergence, $0.bits) }
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
