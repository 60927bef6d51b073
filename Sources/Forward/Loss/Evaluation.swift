import Convert
import Model

/// Measures how well models predict a text.
package struct Evaluation {
  private let plan: WindowPlan
  private let context: RunContext
  private let options: ForwardOptions

  package init(
    _ plan: WindowPlan, options: ForwardOptions = ForwardOptions(), _ context: RunContext
  ) {
    self.plan = plan
    self.options = options
    self.context = context
  }

  /// The same of texts that are cut in another way.
  func with(_ plan: WindowPlan) -> Evaluation {
    Evaluation(plan, options: options, context)
  }

  /// A model that is run.
  package struct Subject {
    let model: ForwardModel
    package let observer: (any ForwardObserver)?

    package init(_ model: ForwardModel, observer: (any ForwardObserver)? = nil) {
      self.model = model
      self.observer = observer
    }
  }

  /// - Throws: `ForwardError`; what reading weights throws; `CancellationError`.
  package func loss(
    of model: ForwardModel, on tokens: [Int], observer: (any ForwardObserver)? = nil
  ) throws -> LossSummary {
    let batch = TokenBatch(try plan.windows(of: tokens))
    let side = try states(of: Subject(model, observer: observer), batch)
    var losses: [Double] = []
    try forEachBlock([side], batch) { losses += $0.losses(ofModel: 0) }
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
    try divergences(of: [Subject(model, observer: observer)], from: base, on: tokens)[0]
  }

  /// Of several from one base, whose layers run once for all of them.
  ///
  /// - Throws: as `divergence`.
  package func divergences(
    of subjects: [Subject], from base: ForwardModel, on tokens: [Int]
  ) throws -> [DivergenceSummary] {
    let expected = base.description.vocabularySize
    for subject in subjects {
      let own = subject.model.description.vocabularySize
      guard own == expected else { throw ForwardError.otherVocabulary(own, expected: expected) }
    }
    let batch = TokenBatch(try plan.windows(of: tokens))
    let baseSide = try states(of: Subject(base), batch)
    return try subjects.map { subject in
      let side = try states(of: subject, batch)
      var found = ComparedTokens()
      try forEachBlock([baseSide, side], batch) { found.append($0) }
      return found.summary
    }
  }

  /// Bytes of progress that all batches are, for each model.
  package static func byteCount(of models: [ForwardModel]) -> Int {
    models.reduce(0) { $0 + $1.byteCount }
  }

  private func states(of subject: Subject, _ batch: TokenBatch) throws -> HeadRun.Side {
    let pass = try ForwardPass(
      subject.model, batch, options: options, observer: subject.observer,
      byteCount: subject.model.byteCount, context)
    return HeadRun.Side(pass: pass, hidden: try pass.hiddenStates())
  }

  private func forEachBlock(
    _ sides: [HeadRun.Side], _ batch: TokenBatch, _ body: (TokenLosses) -> Void
  ) throws {
    try HeadRun(sides: sides).forEachBlock(
      .range(0..<batch.count),
      TokenLosses.predictions(of: batch, firstScored: plan.firstScored), context, body)
  }
}
