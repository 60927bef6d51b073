import Foundation

/// How well a model predicts a text.
package struct LossSummary: Sendable, Equatable {
  /// Tokens that were scored.
  package let count: Int
  /// In nats for each token.
  package let nll: MeanWithError
  /// Of single tokens.
  package let losses: Percentiles

  /// - Parameter losses: negative logarithms of probabilities, of each token.
  package init(_ losses: [Double]) {
    count = losses.count
    nll = MeanWithError(losses)
    self.losses = Percentiles(losses)
  }

  /// `e^nll`; its error is that of the exponent, times it.
  package var perplexity: MeanWithError {
    let value = exp(nll.mean)
    return MeanWithError(mean: value, standardError: value * nll.standardError)
  }
}
