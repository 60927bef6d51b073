/// What is kept of a model's predictions beside those of its base, batch after batch.
struct ComparedTokens {
  private var baseLosses: [Double] = []
  private var losses: [Double] = []
  private var divergences: [Double] = []
  private var sameTops: [Bool] = []

  /// - Parameter batch: of two models, the base first.
  mutating func append(_ batch: TokenLosses) {
    baseLosses += batch.losses(ofModel: 0)
    losses += batch.losses(ofModel: 1)
    divergences += batch.divergences
    sameTops += batch.sameTops
  }

  var summary: DivergenceSummary {
    DivergenceSummary(
      baseLosses: baseLosses, losses: losses, divergences: divergences, sameTops: sameTops)
  }
}
