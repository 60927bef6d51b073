import Convert
import Formats
import Model

/// Runs a model over a batch of windows, layer by layer: each layer's weights are used for all windows before
/// those of the next are read. Arithmetic is in F32; no result depends on the number of threads.
///
/// In memory are the intermediate values of one block of windows, a few tiles of weights, and the hidden states
/// of the batch, unless these are too many: then they lie in a temporary file. Within a layer the weights are read
/// for one block after the other.
package struct ForwardPass {
  let model: ForwardModel
  let batch: TokenBatch
  let options: ForwardOptions
  let observer: (any ForwardObserver)?
  let context: RunContext
  /// Of the tokens before the batch's, which then is one window.
  let cache: KeyValueCache?
  let buffers: TileBuffers
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
    try self.init(
      model, batch, options: options, observer: observer, cache: cache, buffers: TileBuffers(),
      byteCount: byteCount, context)
  }

  /// - Parameter buffers: of passes that follow each other.
  init(
    _ model: ForwardModel, _ batch: TokenBatch, options: ForwardOptions = ForwardOptions(),
    observer: (any ForwardObserver)? = nil, cache: KeyValueCache? = nil, buffers: TileBuffers,
    byteCount: Int = 0, _ context: RunContext
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
    self.buffers = buffers
    self.past = past
    self.byteCount = byteCount
  }

  /// Windows that go through a layer together, as tokens of the batch.
  var blocks: [Range<Int>] {
    batch.blocks(ofTokens: options.blockTokenCount(of: model.description))
  }

  /// Hidden states of all tokens after the last layer.
  ///
  /// - Throws: `ForwardError.nonFinite`; what reading weights and the observer throw; `FileError` of the temporary
  ///   file; `CancellationError`.
  func hiddenStates() throws -> HiddenStates {
    let hidden = try embedded(limit: options.hiddenLimit)
    try run(0..<model.description.layers.count, over: hidden)
    return hidden
  }

  /// What goes into the first layer.
  ///
  /// - Parameter limit: numbers that may be in memory.
  /// - Throws: as `hiddenStates`.
  func embedded(limit: Int) throws -> HiddenStates {
    let hidden = try HiddenStates(
      tokens: batch.count, features: model.description.hiddenSize, limit: limit)
    for block in blocks {
      try context.cancellation.check()
      let tokens = batch.tokens(of: block)
      try hidden.replaceRows(
        from: tokens.lowerBound, with: embed(tokens, batch.windows[block]))
    }
    return hidden
  }

  /// - Parameters:
  ///   - layers: those that are run.
  ///   - hidden: what goes into the first of them; receives what comes out of the last.
  /// - Throws: as `hiddenStates`.
  func run(_ layers: Range<Int>, over hidden: HiddenStates) throws {
    let blocks = blocks
    for layer in model.description.layers[layers] {
      let runner = try LayerRun(self, layer)
      for block in blocks {
        try context.cancellation.check()
        let tokens = batch.tokens(of: block)
        let entering = try hidden.rows(tokens)
        let output = try runner.run(
          observer == nil ? entering : entering.copy, tokens: tokens, Array(batch.windows[block]))
        show(entering, output, of: layer.index)
        try hidden.replaceRows(from: tokens.lowerBound, with: output)
        context.progress(
          byteCount / model.description.layers.count * tokens.count / batch.count)
      }
    }
  }

  /// What the head reads of some tokens: their last hidden states after the last norm.
  ///
  /// - Throws: as `hiddenStates`.
  func headInputs(_ hidden: HiddenStates, _ tokens: ObservedPlace.Tokens) throws -> Activations {
    let rows =
      switch tokens {
      case .range(let range): try hidden.rows(range)
      case .list(let list): try hidden.rows(list)
      }
    let step = LinearStep(self, layer: nil, tokens: tokens)
    if let norm = model.description.finalNorm {
      try Norm(norm, in: model).apply(to: rows, threads: context.threads)
      try step.checkFinite(rows, module: norm.module)
    }
    guard let projection = model.description.head.projection else { return rows }
    return try step.apply(projection, to: step.observed(rows, by: [projection]))
  }

  /// Shows the observer what a layer made of the hidden states of some tokens.
  private func show(_ entering: Activations, _ leaving: Activations, of layer: Int) {
    guard let observer else { return }
    let (before, after) = (entering.values, leaving.values)
    observer.observeLayer(
      layer, entering: before.span, leaving: after.span, features: entering.features)
  }

  /// Rows of the embedding, and what is added to and done with them before the first layer.
  private func embed(
    _ tokens: Range<Int>, _ windows: ArraySlice<Range<Int>>
  ) throws -> Activations {
    let embedding = model.description.embedding
    var hidden = try rows(of: model.embedding, tokens, width: embedding.width)
    hidden.multiply(by: embedding.scale)
    let step = LinearStep(self, layer: nil, tokens: tokens)
    try step.checkFinite(hidden, module: model.embedding)
    if let projection = embedding.projection {
      hidden = try step.apply(projection, to: step.observed(hidden, by: [projection]))
    }
    if let positions = embedding.positions {
      let longest = windows.map(\.count).max() ?? 0
      let first = positions.offset + past
      let table = Activations(
        tokens: longest, features: hidden.features,
        values: try model.numbers(
          positions.weight, first * hidden.features..<(first + longest) * hidden.features))
      for window in windows {
        hidden.add(
          table.rows(0..<window.count), to: window.map { $0 - tokens.lowerBound },
          times: window.map { _ in 1 })
      }
    }
    if let norm = embedding.norm {
      try Norm(norm, in: model).apply(to: hidden, threads: context.threads)
    }
    return hidden
  }

  /// The rows that tokens have in a matrix; each is read once.
  private func rows(of tensor: String, _ tokens: Range<Int>, width: Int) throws -> Activations {
    let source = try model.source(tensor)
    let tile = WeightTile()
    let hidden = Activations(tokens: tokens.count, features: width)
    let places = Dictionary(grouping: tokens) { batch.tokens[$0] }
    for (token, places) in places.sorted(by: { $0.key < $1.key }) {
      try source.read(token * width..<(token + 1) * width, into: tile)
      let row = Activations(tokens: 1, features: width, values: Array(tile.weights.prefix(width)))
      for place in places { hidden.replaceRows(from: place - tokens.lowerBound, with: row) }
    }
    return hidden
  }
}
