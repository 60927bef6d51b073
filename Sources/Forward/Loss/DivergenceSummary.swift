import Foundation

/// How far the predictions of a model are from those of another, its base: the statistics of llama.cpp,
/// `tools/perplexity/perplexity.cpp`, from exact logits.
package struct DivergenceSummary: Sendable, Equatable {
  package let base: LossSummary
  package let model: LossSummary
  /// Of both models' losses.
  package let correlation: Double
  /// `ln(PPL / PPL of the base)`, the mean difference of losses.
  package let logRatio: MeanWithError
  /// Of single tokens: the model's loss less the base's, in nats.
  package let lossChanges: Percentiles
  /// `PPL / PPL of the base`.
  package let ratio: MeanWithError
  /// `PPL - PPL of the base`.
  package let difference: MeanWithError
  /// Kullback-Leibler divergence of the model from the base, in nats.
  package let divergence: MeanWithError
  package let divergences: Percentiles
  /// Probability of the true token, less that of the base.
  package let probability: MeanWithError
  package let probabilities: Percentiles
  /// Root mean square of these differences.
  package let probabilityRoot: MeanWithError
  /// Share of tokens for which both find the same token the most probable.
  package let sameTop: MeanWithError

  /// - Parameters: of the same tokens, in the same order.
  package init(
    baseLosses: [Double], losses: [Double], divergences: [Double], sameTops: [Bool]
  ) {
    base = LossSummary(baseLosses)
    model = LossSummary(losses)
    let count = Double(losses.count)
    let covariance =
      losses.count > 10
      ? (zip(losses, baseLosses).reduce(0) { $0 + $1.0 * $1.1 } / count
        - model.nll.mean * base.nll.mean) / (count - 1) : 0
    let (own, other) = (model.nll.standardError, base.nll.standardError)
    correlation = own > 0 && other > 0 ? covariance / (own * other) : 0
    let mean = model.nll.mean - base.nll.mean
    let error = max(0, own * own + other * other - 2 * covariance).squareRoot()
    logRatio = MeanWithError(mean: mean, standardError: error)
    lossChanges = Percentiles(zip(losses, baseLosses).map { $0 - $1 })
    ratio = MeanWithError(mean: exp(mean), standardError: exp(mean) * error)
    let (perplexity, basePerplexity) = (model.perplexity, base.perplexity)
    let variance =
      perplexity.standardError * perplexity.standardError
      + basePerplexity.standardError * basePerplexity.standardError
      - 2 * perplexity.mean * basePerplexity.mean * covariance
    difference = MeanWithError(
      mean: perplexity.mean - basePerplexity.mean, standardError: max(0, variance).squareRoot())
    divergence = MeanWithError(divergences)
    self.divergences = Percentiles(divergences)
    let changes = zip(losses, baseLosses).map { exp(-$0) - exp(-$1) }
    probability = MeanWithError(changes)
    probabilities = Percentiles(changes)
    let squares = MeanWithError(changes.map { $0 * $0 })
    let root = squares.mean.squareRoot()
    probabilityRoot = MeanWithError(
      mean: root, standardError: root > 0 ? squares.standardError / (2 * root) : 0)
    let same = Double(sameTops.count { $0 }) / max(1, count)
    sameTop = MeanWithError(
      mean: same,
      standardError: losses.count > 10 ? (same * (1 - same) / (count - 1)).squareRoot() : 0)
  }
}
