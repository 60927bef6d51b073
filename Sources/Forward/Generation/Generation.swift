import Convert

/// Continues a text with the token that the model finds the most probable, again and again: greedy search.
package final class Generation {
  private let model: ForwardModel
  private let context: RunContext
  private let observer: (any ForwardObserver)?
  /// Nil where every token runs the model over all before it.
  private var cache: KeyValueCache?
  private let buffers = TileBuffers()
  /// The prompt, and what was made after it.
  package private(set) var tokens: [Int]

  /// - Parameters:
  ///   - caches: whether keys and values are kept from token to token, where the model has them.
  ///   - observer: sees what is computed, and may replace it before it is kept.
  /// - Throws: `ForwardError.tooFewTokens` for a prompt without tokens.
  package init(
    _ model: ForwardModel, prompt: [Int], caches: Bool = true,
    observer: (any ForwardObserver)? = nil, _ context: RunContext
  ) throws(ForwardError) {
    guard !prompt.isEmpty else { throw .tooFewTokens(0, needed: 1) }
    self.model = model
    self.context = context
    self.observer = observer
    tokens = prompt
    cache = caches && KeyValueCache.fits(model) ? KeyValueCache() : nil
  }

  /// Whether the model knows a position for one more token.
  package var hasRoom: Bool {
    model.description.contextLength.map { tokens.count <= $0 } ?? true
  }

  /// The token with the largest logit after all so far, which is added to them; of equal ones that with the
  /// lowest id.
  ///
  /// - Throws: as `ForwardPass.init` and `ForwardPass.logits`.
  package func next() throws -> Int {
    if let cache, cache.count > 0, !cache.isValid(of: model, windowLength: tokens.count) {
      self.cache = KeyValueCache()
    }
    let pass = try ForwardPass(
      model, TokenBatch([tokens[(cache?.count ?? 0)...]]), observer: observer, cache: cache,
      buffers: buffers, context)
    let hidden = try pass.hiddenStates()
    let top = TopToken()
    try HeadPass<TopToken>(
      [HeadSide(pass, hidden, .range(hidden.tokens - 1..<hidden.tokens))],
      vocabularySize: model.description.vocabularySize
    ).run(top, context)
    tokens.append(top.id)
    return top.id
  }
}
