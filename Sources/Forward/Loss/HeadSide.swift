import Convert
import Formats
import Model

/// The head of a model, and what it is applied to.
struct HeadSide {
  let inputs: Activations
  let options: ForwardOptions
  let buffers: TileBuffers
  private let source: WeightSource
  private let description: HeadDescription
  private let bias: [Float]?
  private let module: String
  private let tokens: ObservedPlace.Tokens

  /// - Parameters:
  ///   - hidden: as `ForwardPass.hiddenStates` gives them.
  ///   - tokens: of the batch: those that the head is applied to.
  init(_ pass: ForwardPass, _ hidden: HiddenStates, _ tokens: ObservedPlace.Tokens) throws {
    let model = pass.model
    self.tokens = tokens
    options = pass.options
    buffers = pass.buffers
    description = model.description.head
    module = model.stored(description.module)
    let step = LinearStep(pass, layer: nil, tokens: tokens)
    let inputs = try pass.headInputs(hidden, tokens)
    self.inputs = try step.observed(inputs, .input(modules: [module]))
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
  func read(
    _ vocabulary: Range<Int>, into logits: inout [Float], through slot: TileBuffers.Slot
  ) throws {
    let k = description.width
    try source.read(vocabulary.lowerBound * k..<vocabulary.upperBound * k, into: slot.tile)
    let count = inputs.tokens * vocabulary.count
    logits.grow(to: count, filler: 0)
    let weights = slot.tile.weights
    Numbers.product(
      inputs.values, tokens: inputs.tokens, weights: weights.span, rows: vocabulary.count, k: k,
      panels: &slot.panels, into: &logits)
    finish(&logits, count, vocabulary)
    guard !Numbers.areFinite(logits.span.extracting(0..<count)),
      let place = logits.prefix(count).firstIndex(where: { !$0.isFinite })
    else { return }
    throw ForwardError.nonFinite(
      module: module, layer: nil, value: logits[place].isNaN ? "NaN" : "\(logits[place])",
      token: tokens[place / vocabulary.count])
  }

  /// What is done to products.
  private func finish(_ logits: inout [Float], _ count: Int, _ vocabulary: Range<Int>) {
    var logits = logits.mutableSpan
    if let bias {
      for index in 0..<count {
        logits[index] += bias[vocabulary.lowerBound + index % vocabulary.count]
      }
    }
    if description.scale != 1 { Numbers.multiply(&logits, 0..<count, by: description.scale) }
    if let cap = description.cap {
      for index in 0..<count { logits[index] = softCapped(logits[index], cap) }
    }
  }
}
