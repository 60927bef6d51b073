import Convert
import Formats
import Model

/// Reads logits tile by tile of the vocabulary; of several models side by side, those of the same tokens.
protocol LogitReader: AnyObject {
  /// What is made of one tile.
  associatedtype Partial: AnyObject

  func makePartial() -> Partial
  /// Called from any thread.
  ///
  /// - Parameter tiles: of each model, logits `[tokens, vocabulary.count]`.
  func read(_ tiles: [[Float]], vocabulary: Range<Int>, into partial: Partial)
  /// Called in the order of the tiles, one at a time.
  func merge(_ partial: Partial, vocabulary: Range<Int>)
}

/// The head of a model, and what it is applied to.
struct HeadSide {
  let hidden: Activations
  private let source: WeightSource
  private let description: HeadDescription
  private let bias: [Float]?
  private let module: String

  /// - Parameter hidden: as `ForwardPass.hiddenStates` gives them.
  init(_ pass: ForwardPass, _ hidden: Activations) throws {
    let model = pass.model
    description = model.description.head
    module = model.stored(description.module)
    let step = LinearStep(pass, layer: nil, tokens: 0..<hidden.tokens)
    self.hidden =
      pass.observer == nil
      ? hidden : try step.observed(hidden.copy, .input(modules: [module]))
    guard let source = try model.weights.source(model.head) else {
      throw ForwardError.missingTensor(model.head, modelType: model.description.modelType)
    }
    self.source = source
    bias = try description.bias.map { try model.numbers($0) }
  }

  /// Where tiles that begin with a token of the vocabulary must end.
  func tileEnd(after token: Int) -> Int { source.matrixEnd(after: token) }

  /// The logits of some of the vocabulary: `cap(scale (W x + b))`.
  ///
  /// - Throws: `ForwardError.nonFinite`; what reading throws.
  func read(_ vocabulary: Range<Int>, into logits: inout [Float], through tile: WeightTile) throws {
    let k = description.width
    try source.read(vocabulary.lowerBound * k..<vocabulary.upperBound * k, into: tile)
    let count = hidden.tokens * vocabulary.count
    logits.grow(to: count, filler: 0)
    multiply(tile.weights, vocabulary.count, k, into: &logits)
    for index in 0..<count {
      if let bias { logits[index] += bias[vocabulary.lowerBound + index % vocabulary.count] }
      logits[index] *= description.scale
    }
    if let cap = description.cap { softCap(&logits, count: count, cap: cap) }
    guard !Numbers.areFinite(logits.span.extracting(0..<count)),
      let place = logits.prefix(count).firstIndex(where: { !$0.isFinite })
    else { return }
    throw ForwardError.nonFinite(
      module: module, layer: nil, value: logits[place].isNaN ? "NaN" : "\(logits[place])",
      token: place / vocabulary.count)
  }

  private func multiply(_ weights: [Float], _ rows: Int, _ k: Int, into logits: inout [Float]) {
    let inputs = hidden.values
    var output = logits.mutableSpan
    Numbers.product(
      inputs.span, tokens: hidden.tokens, weights: weights.span, rows: rows, k: k, into: &output)
  }
}

/// Goes through the vocabulary once, whatever the number of tokens.
struct HeadPass<Reader: LogitReader> {
  private let sides: [HeadSide]
  private let vocabularySize: Int

  /// - Parameter sides: heads of models of one vocabulary, with hidden states of the same tokens.
  init(_ sides: [HeadSide], vocabularySize: Int) {
    self.sides = sides
    self.vocabularySize = vocabularySize
  }

  private final class Slot {
    let tile = WeightTile()
    var logits: [[Float]]
    let partial: Reader.Partial

    init(_ partial: Reader.Partial, sides: Int) {
      self.partial = partial
      logits = [[Float]](repeating: [], count: sides)
    }
  }

  /// Logits of one tile.
  private static var tileSize: Int { 1 << 20 }
  private static var longestTile: Int { 1 << 9 }

  func run(_ reader: Reader, _ context: RunContext) throws {
    guard let tokens = sides.first?.hidden.tokens, tokens > 0 else { return }
    let step = max(8, min(Self.longestTile, Self.tileSize / tokens))
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * context.threads).map { _ in
        Slot(reader.makePartial(), sides: sides.count)
      },
      next: { () -> Range<Int>? in
        guard next < vocabularySize else { return nil }
        let end = sides.reduce(min(next + step, vocabularySize)) {
          min($0, $1.tileEnd(after: next))
        }
        defer { next = end }
        return next..<end
      },
      work: { vocabulary, slot in
        try context.cancellation.check()
        for (index, side) in sides.enumerated() {
          try side.read(vocabulary, into: &slot.logits[index], through: slot.tile)
        }
        reader.read(slot.logits, vocabulary: vocabulary, into: slot.partial)
      },
      handOn: { vocabulary, slot in reader.merge(slot.partial, vocabulary: vocabulary) })
    try pipeline.run(threads: context.threads)
  }
}
