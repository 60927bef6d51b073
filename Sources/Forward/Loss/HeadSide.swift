import Convert
import Formats
import Model

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
    let weights = tile.weights
    Numbers.product(
      hidden.values, tokens: hidden.tokens, weights: weights.span, rows: vocabulary.count, k: k,
      into: &logits)
    for index in 0..<count {
      if let bias { logits[index] += bias[vocabulary.lowerBound + index % vocabulary.count] }
      logits[index] *= description.scale
    }
    if let cap = description.cap {
      for index in 0..<count { logits[index] = softCapped(logits[index], cap) }
    }
    guard !Numbers.areFinite(logits.span.extracting(0..<count)),
      let place = logits.prefix(count).firstIndex(where: { !$0.isFinite })
    else { return }
    throw ForwardError.nonFinite(
      module: module, layer: nil, value: logits[place].isNaN ? "NaN" : "\(logits[place])",
      token: place / vocabulary.count)
  }
}
