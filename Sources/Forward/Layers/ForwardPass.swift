import Convert
import Formats
import Model

/// Runs a model over a batch of windows, layer by layer: each layer's weights are read, used for all
/// windows, and dropped. Arithmetic is in F32; no result depends on the number of threads.
///
/// In memory are the hidden states of the batch, the intermediate values of one block of windows, and a few
/// tiles of weights.
package struct ForwardPass {
  let model: ForwardModel
  let batch: TokenBatch
  let options: ForwardOptions
  let observer: (any ForwardObserver)?
  let context: RunContext
  /// Of the tokens before the batch's, which then is one window.
  let cache: KeyValueCache?
  /// How many tokens are before those of the batch.
  let past: Int
  /// Of progress that the layers are told as.
  private let byteCount: Int

  /// - Parameters:
  ///   - cache: keys and values of the tokens before those of the batch, which must be one window; those of
  ///     the batch are added. For models of which `KeyValueCache.fits` is true.
  ///   - byteCount: of progress that the layers are told as.
  /// - Throws: `ForwardError.unknownToken`, `.windowTooLong`.
  package init(
    _ model: ForwardModel, _ batch: TokenBatch, options: ForwardOptions = ForwardOptions(),
    observer: (any ForwardObserver)? = nil, cache: KeyValueCache? = nil, byteCount: Int = 0,
    _ context: RunContext
  ) throws {
    precondition(cache == nil || batch.windows.count == 1 && KeyValueCache.fits(model))
    let past = cache?.count ?? 0
    let vocabulary = model.description.vocabularySize
    if let place = batch.tokens.firstIndex(where: { !(0..<vocabulary).contains($0) }) {
      throw ForwardError.unknownToken(
        batch.tokens[place], position: place, vocabularySize: vocabulary)
    }
    if let longest = model.description.embedding.positions?.longestWindow,
      let window = batch.windows.first(where: { past + $0.count > longest })
    {
      throw ForwardError.windowTooLong(past + window.count, longest: longest)
    }
    self.model = model
    self.batch = batch
    self.options = options
    self.observer = observer
    self.context = context
    self.cache = cache
    self.past = past
    self.byteCount = byteCount
  }

  /// What the head gets: hidden states of all tokens after the last norm.
  ///
  /// - Throws: `ForwardError.nonFinite`; what reading weights and the observer throw; `CancellationError`.
  func hiddenStates() throws -> Activations {
    let hidden = try embed()
    for layer in model.description.layers {
      let runner = try LayerRun(self, layer)
      for block in batch.blocks(ofTokens: options.blockTokenCount(of: layer)) {
        try context.cancellation.check()
        let windows = Array(batch.windows[block])
        let tokens = windows[0].lowerBound..<windows[windows.count - 1].upperBound
        let output = try runner.run(hidden.rows(tokens), tokens: tokens, windows)
        show(output, of: layer.index, hidden, tokens)
        hidden.replaceRows(from: tokens.lowerBound, with: output)
        context.progress(
          byteCount / model.description.layers.count * tokens.count / batch.count)
      }
    }
    let step = LinearStep(self, layer: nil, tokens: 0..<batch.count)
    if let norm = model.description.finalNorm {
      try Norm(norm, in: model).apply(to: hidden)
      try step.checkFinite(hidden, module: norm.module)
    }
    guard let projection = model.description.head.projection else { return hidden }
    return try step.apply(projection, to: step.observed(hidden, by: [projection]))
  }

  /// Shows the observer what a layer made of the hidden states of some tokens.
  private func show(
    _ output: Activations, of layer: Int, _ hidden: Activations, _ tokens: Range<Int>
  ) {
    guard let observer else { return }
    let (before, after, width) = (hidden.values, output.values, hidden.features)
    let range = tokens.lowerBound * width..<tokens.upperBound * width
    observer.observeLayer(
      layer, entering: before.span.extracting(range), leaving: after.span, features: width)
  }

  /// Rows of the embedding, and what is added to and done with them before the first layer.
  private func embed() throws -> Activations {
    let embedding = model.description.embedding
    var hidden = try rows(of: model.embedding, width: embedding.width)
    hidden.multiply(by: embedding.scale)
    let step = LinearStep(self, layer: nil, tokens: 0..<batch.count)
    try step.checkFinite(hidden, module: model.embedding)
    if let projection = embedding.projection {
      hidden = try step.apply(projection, to: step.observed(hidden, by: [projection]))
    }
    if let positions = embedding.positions {
      let longest = batch.windows.map(\.count).max() ?? 0
      let first = positions.offset + past
      let table = Activations(
        tokens: longest, features: hidden.features,
        values: try model.numbers(
          positions.weight, first * hidden.features..<(first + longest) * hidden.features))
      for window in batch.windows {
        hidden.add(table.rows(0..<window.count), to: Array(window), times: window.map { _ in 1 })
      }
    }
    if let norm = embedding.norm { try Norm(norm, in: model).apply(to: hidden) }
    return hidden
  }

  /// The rows that the batch's tokens have in a matrix; each is read once.
  private func rows(of tensor: String, width: Int) throws -> Activations {
    let source = try model.source(tensor)
    let tile = WeightTile()
    let hidden = Activations(tokens: batch.count, features: width)
    let places = Dictionary(grouping: batch.tokens.indices) { batch.tokens[$0] }
    for (token, places) in places.sorted(by: { $0.key < $1.key }) {
      try source.read(token * width..<(token + 1) * width, into: tile)
      let row = Activations(tokens: 1, features: width, values: Array(tile.weights.prefix(width)))
      for place in places { hidden.replaceRows(from: place, with: row) }
    }
    return hidden
  }
}
