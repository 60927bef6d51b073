import Convert

/// Scores the options of questions with a model. Weights are read once for each batch of windows.
package struct ChoiceEvaluation {
  private let model: ForwardModel
  private let options: ForwardOptions
  /// Numbers of the hidden states of a batch, about.
  private let batchSize: Int
  private let context: RunContext

  package init(
    _ model: ForwardModel, options: ForwardOptions = ForwardOptions(), batchSize: Int = 1 << 27,
    _ context: RunContext
  ) {
    self.model = model
    self.options = options
    self.batchSize = batchSize
    self.context = context
  }

  /// For each window the sum of the logarithms of its targets' probabilities, in nats. It does not depend on
  /// the other windows.
  ///
  /// - Throws: `ForwardError`; what reading weights throws; `CancellationError`.
  package func logLikelihoods(of windows: [ScoredWindow]) throws -> [Double] {
    let all = windows.reduce(0) { $0 + $1.tokens.count }
    var sums: [Double] = []
    let most = batchSize / model.description.hiddenSize
    for range in TokenBatch.blocks(of: windows.map(\.tokens.count), ofTokens: most) {
      let batch = TokenBatch(windows[range].map(\.tokens))
      let pass = try ForwardPass(
        model, batch, options: options, byteCount: model.byteCount(for: batch, among: all), context)
      sums += try logLikelihoods(of: windows[range], batch, pass)
    }
    return sums
  }

  private func logLikelihoods(
    of windows: ArraySlice<ScoredWindow>, _ batch: TokenBatch, _ pass: ForwardPass
  ) throws -> [Double] {
    let scored = zip(windows, batch.windows).flatMap { window, tokens in
      tokens.suffix(window.targets.count)
    }
    let targets = windows.flatMap(\.targets)
    let vocabulary = model.description.vocabularySize
    // The model is not run over the last of them, which checks all others.
    if let place = targets.firstIndex(where: { !(0..<vocabulary).contains($0) }) {
      throw ForwardError.unknownToken(
        targets[place], position: place, vocabularySize: vocabulary)
    }
    // The head is by far the largest layer, and most tokens are of contexts.
    let hidden = try pass.hiddenStates().rows(scored)
    let losses = TokenLosses(
      targets.enumerated().map { TokenLosses.Prediction(token: $0, target: $1) }, models: 1)
    try HeadPass<TokenLosses>(
      [HeadSide(pass, hidden)], vocabularySize: vocabulary
    ).run(losses, context)
    var rest = losses.losses(ofModel: 0)[...]
    return windows.map { window in
      defer { rest = rest.dropFirst(window.targets.count) }
      return -rest.prefix(window.targets.count).reduce(0, +)
    }
  }
}
