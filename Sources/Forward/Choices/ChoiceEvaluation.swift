import Convert

/// Scores the options of questions with a model.
package struct ChoiceEvaluation {
  private let model: ForwardModel
  private let options: ForwardOptions
  private let context: RunContext

  package init(
    _ model: ForwardModel, options: ForwardOptions = ForwardOptions(), _ context: RunContext
  ) {
    self.model = model
    self.options = options
    self.context = context
  }

  /// For each window the sum of the logarithms of its targets' probabilities, in nats. It does not depend on
  /// the other windows.
  ///
  /// - Throws: `ForwardError`; what reading weights throws; `FileError` of a temporary file; `CancellationError`.
  package func logLikelihoods(of windows: [ScoredWindow]) throws -> [Double] {
    let batch = TokenBatch(windows.map(\.tokens))
    let vocabulary = model.description.vocabularySize
    // The model is not run over the last of them, which checks all others.
    let targets = windows.flatMap(\.targets)
    if let place = targets.firstIndex(where: { !(0..<vocabulary).contains($0) }) {
      throw ForwardError.unknownToken(
        targets[place], position: place, vocabularySize: vocabulary)
    }
    let pass = try ForwardPass(
      model, batch, options: options, byteCount: model.byteCount, context)
    let side = HeadRun.Side(pass: pass, hidden: try pass.hiddenStates())
    // The head is by far the largest layer, and most tokens are of contexts.
    let predictions = zip(windows, batch.windows).flatMap { window, tokens in
      zip(tokens.suffix(window.targets.count), window.targets).map {
        TokenLosses.Prediction(token: $0, target: $1)
      }
    }
    var losses: [Double] = []
    try HeadRun(sides: [side]).forEachBlock(
      .list(predictions.map(\.token)), predictions, context
    ) {
      losses += $0.losses(ofModel: 0)
    }
    var rest = losses[...]
    return windows.map { window in
      defer { rest = rest.dropFirst(window.targets.count) }
      return -rest.prefix(window.targets.count).reduce(0, +)
    }
  }
}
