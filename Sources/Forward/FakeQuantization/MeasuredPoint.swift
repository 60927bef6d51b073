import Foundation

/// What quantization to a point's widths does to a model's predictions.
package struct MeasuredPoint: Sendable, Equatable {
  package let point: QuantizationPoint
  /// Of SmoothQuant; nil where channels are as they were.
  package let alpha: Double?
  package let divergence: DivergenceSummary

  package init(
    point: QuantizationPoint, alpha: Double? = nil, divergence: DivergenceSummary
  ) {
    self.point = point
    self.alpha = alpha
    self.divergence = divergence
  }

  /// Nats per token that are taken for the paper's limit.
  ///
  /// Qllm-Eval calls a width safe that costs a task less than 2 % of its score. A text has no score; what is
  /// nearest to one is the probability that the true token gets. Its geometric mean falls by 2 % where the mean
  /// loss rises by `-ln 0.98`.
  package static let limit = -log(0.98)

  /// Which side of the limit the change of the loss is on.
  package enum Cost: String, Sendable {
    case within
    case beyond
    /// Nearer to it than two standard errors: the text is too short to tell.
    case unclear
  }

  package var cost: Cost {
    let (change, margin) = (divergence.logRatio.mean, 2 * divergence.logRatio.standardError)
    if change + margin < Self.limit { return .within }
    return change - margin > Self.limit ? .beyond : .unclear
  }

  package var standing: PaperStanding { PaperStanding(point) }

  /// Where the model leaves the paper's recommendations, or cannot be told not to, in a sentence; nil where it
  /// does what the paper says.
  package var departure: String? {
    let limit = String(format: "%.4f", Self.limit)
    let change = divergence.logRatio
    let figures = String(
      format: "%.4f nats per token (perplexity %+.1f %%)", change.mean,
      100 * (divergence.ratio.mean - 1))
    let cost = "\(point.name) costs \(figures)"
    switch (standing, self.cost) {
    case (.recommended, .within), (.withCare, .beyond), (.advisedAgainst, .beyond): return nil
    case (.recommended, .beyond):
      return cost + ", more than \(limit); the paper recommends it for most models."
    case (.withCare, .within):
      return cost + ", less than \(limit), though the paper recommends more bits."
    case (.advisedAgainst, .within):
      return cost + ", less than \(limit), though the paper advises against it for any model."
    case (_, .unclear):
      let error = String(format: "%.4f", change.standardError)
      return cost + ", with an error of \(error): this text is too short to tell it from \(limit)."
    }
  }
}
