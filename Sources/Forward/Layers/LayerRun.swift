import Convert
import Model

/// One layer, with its small tensors, applied to block after block of windows.
struct LayerRun {
  let pass: ForwardPass
  let layer: LayerDescription
  private let preMixer: Norm?
  private let postMixer: Norm?
  private let afterMixer: Norm?
  private let preFeedForward: Norm?
  private let postFeedForward: Norm?
  private let afterFeedForward: Norm?

  /// - Throws: what reading throws.
  init(_ pass: ForwardPass, _ layer: LayerDescription) throws {
    self.pass = pass
    self.layer = layer
    func norm(_ description: NormDescription?) throws -> Norm? {
      try description.map { try Norm($0, in: pass.model) }
    }
    preMixer = try norm(layer.norms.preMixer)
    postMixer = try norm(layer.norms.postMixer)
    afterMixer = try norm(layer.norms.afterMixer)
    preFeedForward = try norm(layer.norms.preFeedForward)
    postFeedForward = try norm(layer.norms.postFeedForward)
    afterFeedForward = try norm(layer.norms.afterFeedForward)
  }

  /// - Parameters:
  ///   - hidden: of a block's tokens; changed, and given back.
  ///   - tokens: which of the batch's they are.
  ///   - windows: of the block, in numbers of the batch.
  func run(
    _ hidden: Activations, tokens: Range<Int>, _ windows: [Range<Int>]
  ) throws -> Activations {
    let block = BlockRun(
      pass: pass, layer: layer.index, tokens: tokens,
      windows: windows.map {
        $0.lowerBound - tokens.lowerBound..<$0.upperBound - tokens.lowerBound
      })
    let input = normalized(hidden, preMixer)
    let mixed = try block.mix(input, layer.mixer)
    postMixer?.apply(to: mixed, threads: pass.context.threads)
    switch layer.arrangement {
    case .parallel:
      let other = layer.norms.preFeedForward == nil ? input : normalized(hidden, preFeedForward)
      hidden.add(mixed)
      if let fed = try block.feed(other, layer.feedForward) { hidden.add(fed) }
    case .sequential:
      hidden.add(mixed, to: input, layer)
      afterMixer?.apply(to: hidden, threads: pass.context.threads)
      guard let feedForward = layer.feedForward else { break }
      let input = normalized(hidden, preFeedForward)
      guard let fed = try block.feed(input, feedForward) else { break }
      postFeedForward?.apply(to: fed, threads: pass.context.threads)
      hidden.add(fed, to: input, layer)
      afterFeedForward?.apply(to: hidden, threads: pass.context.threads)
    }
    try block.step.checkFinite(hidden, module: "the sum of residuals")
    return hidden
  }

  private func normalized(_ hidden: Activations, _ norm: Norm?) -> Activations {
    let copy = hidden.copy
    norm?.apply(to: copy, threads: pass.context.threads)
    return copy
  }
}

extension Activations {
  /// Adds what a part of a layer gives to the residual, or to the part's own input where the layer says so.
  fileprivate func add(_ output: Activations, to input: Activations, _ layer: LayerDescription) {
    if layer.addsToNormalized { values = input.values }
    add(output, times: layer.residualScale)
  }
}
