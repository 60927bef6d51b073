import Convert
import Model

/// Measures how well models predict a text. Weights are read once for each batch of windows.
package struct Evaluation {
  private let plan: WindowPlan
  private let context: RunContext
  private let options: ForwardOptions
  /// Numbers of the hidden states of a batch, about.
  private let batchSize: Int

  package init(
    _ plan: WindowPlan, options: ForwardOptions = ForwardOptions(), batchSize: Int = 1 << 27,
    _ context: RunContext
  ) {
    self.plan = plan
    self.options = options
    self.batchSize = batchSize
    self.context = context
  }

  /// - Parameter observer: sees the values of all batches, one after the other.
  /// - Throws: `ForwardError`; what reading weights throws; `CancellationError`.
  package func loss(
    of model: ForwardModel, on tokens: [Int], observer: (any ForwardObserver)? = nil
  ) throws -> LossSummary {
    var losses: [Double] = []
    for batch in try batches(of: tokens, for: [model]) {
      let read = try self.losses(of: batch, among: tokens.count, [(model, observer)])
      losses += read.losses(ofModel: 0)
    }
    return LossSummary(losses)
  }

  /// - Parameters:
  ///   - base: what `model` is compared with.
  ///   - observer: of `model` alone.
  /// - Throws: as `loss`; `ForwardError.otherVocabulary`.
  package func divergence(
    of model: ForwardModel, from base: ForwardModel, on tokens: [Int],
    observer: (any ForwardObserver)? = nil
  ) throws -> DivergenceSummary {
    let (own, other) = (model.description.vocabularySize, base.description.vocabularySize)
    guard own == other else { throw ForwardError.otherVocabulary(own, expected: other) }
    var (losses, baseLosses, divergences) = ([Double](), [Double](), [Double]())
    var sameTops: [Bool] = []
    for batch in try batches(of: tokens, for: [base, model]) {
      let read = try self.losses(
        of: batch, among: tokens.count, [(base, nil), (model, observer)])
      baseLosses += read.losses(ofModel: 0)
      losses += read.losses(ofModel: 1)
      divergences += read.divergences
      sameTops += read.sameTops
    }
    return DivergenceSummary(
      baseLosses: baseLosses, losses: losses, divergences: divergences, sameTops: sameTops)
  }

  /// Bytes of progress that all batches are, for each model.
  package static func byteCount(of models: [ForwardModel]) -> Int {
    models.reduce(0) { $0 + $1.byteCount }
  }

  /// Those of one batch.
  private func share(of batch: TokenBatch, _ model: ForwardModel, all: Int) -> Int {
    Int(Double(model.byteCount) * Double(batch.count) / Double(max(1, all)))
  }

  /// Each model's layers run by themselves; their heads side by side.
  private func losses(
    of batch: TokenBatch, among all: Int, _ models: [(ForwardModel, (any ForwardObserver)?)]
  ) throws -> TokenLosses {
    let sides = try models.map { model, observer in
      let pass = try ForwardPass(
        model, batch, options: options, observer: observer,
        byteCount: share(of: batch, model, all: all), context)
      return try HeadSide(pass, pass.hiddenStates())
    }
    let losses = TokenLosses(batch, firstScored: plan.firstScored, models: models.count)
    try HeadPass<TokenLosses>(sides, vocabularySize: models[0].0.description.vocabularySize)
      .run(losses, context)
    return losses
  }

  private func batches(
    of tokens: [Int], for models: [ForwardModel]
  ) throws -> [TokenBatch] {
    let windows = try plan.windows(of: tokens)
    let hidden = models.reduce(0) { $0 + $1.description.hiddenSize }
    let count = max(1, batchSize / (hidden * plan.length))
    return stride(from: 0, to: windows.count, by: count).map {
      TokenBatch(Array(windows[$0..<min($0 + count, windows.count)]))
    }
  }
}
