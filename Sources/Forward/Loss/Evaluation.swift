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

  /// A model that is run.
  package struct Subject {
    let model: ForwardModel
    /// Sees the values of all batches, one after the other.
    let observer: (any ForwardObserver)?

    package init(_ model: ForwardModel, observer: (any ForwardObserver)? = nil) {
      self.model = model
      self.observer = observer
    }
  }

  /// - Parameter observer: sees the values of all batches, one after the other.
  /// - Throws: `ForwardError`; what reading weights throws; `CancellationError`.
  package func loss(
    of model: ForwardModel, on tokens: [Int], observer: (any ForwardObserver)? = nil
  ) throws -> LossSummary {
    let subject = Subject(model, observer: observer)
    var losses: [Double] = []
    for batch in try batches(of: tokens, hiddenSize: model.description.hiddenSize) {
      let side = try side(of: batch, among: tokens.count, subject)
      losses += try self.losses(of: batch, [side], of: model).losses(ofModel: 0)
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
    // One of them is in memory at a time, beside the base.
    let widest = subjects.map(\.model.description.hiddenSize).max() ?? 0
    var found = subjects.map { _ in ComparedTokens() }
    for batch in try batches(of: tokens, hiddenSize: base.description.hiddenSize + widest) {
      let baseSide = try side(of: batch, among: tokens.count, Subject(base))
      for (index, subject) in subjects.enumerated() {
        let own = try side(of: batch, among: tokens.count, subject)
        found[index].append(try losses(of: batch, [baseSide, own], of: base))
      }
    }
    return found.map(\.summary)
  }

  /// Bytes of progress that all batches are, for each model.
  package static func byteCount(of models: [ForwardModel]) -> Int {
    models.reduce(0) { $0 + $1.byteCount }
  }

  /// The layers of a model, run by themselves.
  private func side(
    of batch: TokenBatch, among all: Int, _ subject: Subject
  ) throws -> HeadSide {
    let pass = try ForwardPass(
      subject.model, batch, options: options, observer: subject.observer,
      byteCount: subject.model.byteCount(for: batch, among: all), context)
    return try HeadSide(pass, pass.hiddenStates())
  }

  /// Heads, side by side.
  private func losses(
    of batch: TokenBatch, _ sides: [HeadSide], of model: ForwardModel
  ) throws -> TokenLosses {
    let losses = TokenLosses(batch, firstScored: plan.firstScored, models: sides.count)
    try HeadPass<TokenLosses>(sides, vocabularySize: model.description.vocabularySize)
      .run(losses, context)
    return losses
  }

  /// - Parameter hiddenSize: of all models that are in memory at once.
  private func batches(of tokens: [Int], hiddenSize: Int) throws -> [TokenBatch] {
    let windows = try plan.windows(of: tokens)
    return TokenBatch.blocks(of: windows.map(\.count), ofTokens: batchSize / hiddenSize).map {
      TokenBatch(Array(windows[$0]))
    }
  }
}
