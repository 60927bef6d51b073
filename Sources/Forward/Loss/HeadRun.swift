import Convert

/// Models whose layers have been run over the same tokens, and whose heads are applied side by side.
struct HeadRun {
  struct Side {
    let pass: ForwardPass
    let hidden: HiddenStates
  }

  /// One, or two: the first then is what the second is compared with.
  let sides: [Side]

  /// Applies the heads to a block of tokens at a time.
  ///
  /// - Parameters:
  ///   - tokens: of the batch, ascending.
  ///   - predictions: of some of these, ascending.
  ///   - body: called with the losses of one block after the other.
  func forEachBlock(
    _ tokens: ObservedPlace.Tokens, _ predictions: [TokenLosses.Prediction], _ context: RunContext,
    _ body: (TokenLosses) -> Void
  ) throws {
    let most =
      sides.map { $0.pass.options.headTokenCount(of: $0.pass.model.description) }.min() ?? 1
    var next = 0
    for first in stride(from: 0, to: tokens.count, by: most) {
      let block = tokens[first..<min(first + most, tokens.count)]
      var own: [TokenLosses.Prediction] = []
      for place in 0..<block.count
      where next < predictions.count && predictions[next].token == block[place] {
        own.append(.init(token: place, target: predictions[next].target))
        next += 1
      }
      let losses = TokenLosses(own, models: sides.count)
      try HeadPass<TokenLosses>(
        sides.map { try HeadSide($0.pass, $0.hidden, block) },
        vocabularySize: sides[0].pass.model.description.vocabularySize
      ).run(losses, context)
      body(losses)
    }
  }
}
