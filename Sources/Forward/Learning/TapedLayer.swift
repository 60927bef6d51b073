import Convert
import Model

/// A decoder layer with all its weights, applied to one window at a time, so that gradients can be taken: of what it
/// reads and of the weights of its linear layers. It computes what `LayerRun` does.
struct TapedLayer {
  let layer: LayerDescription
  let products: PlainProducts
  private(set) var linears: [TapedLinear] = []
  private var norms: [String: Norm] = [:]

  /// - Throws: `LearningError.unsupported`; what reading throws.
  init(_ layer: LayerDescription, in model: ForwardModel, _ products: PlainProducts) throws {
    try Self.check(layer, of: model.description.modelType)
    self.layer = layer
    self.products = products
    linears = try layer.linears.map { try TapedLinear($0, in: model) }
    for norm in layer.allNorms where norms[norm.module] == nil {
      norms[norm.module] = try Norm(norm, in: model)
    }
  }

  /// What has no way back yet is refused by name.
  ///
  /// - Throws: `LearningError.unsupported`.
  static func check(_ layer: LayerDescription, of modelType: String) throws(LearningError) {
    func refuse(_ what: String) -> LearningError {
      .unsupported(modelType: modelType, layer: layer.index, what: what)
    }
    guard case .attention(let attention) = layer.mixer else {
      throw refuse("state spaces and latent attention")
    }
    if attention.bias != nil { throw refuse("linear biases of attention (ALiBi)") }
    if attention.scoring.sinks != nil { throw refuse("attention sinks") }
    switch layer.feedForward {
    case .mixture: throw refuse("mixtures of experts")
    case .gated(let gated):
      guard case .activated = gated.gating else { throw refuse("clamped gates") }
    case .plain, nil: break
    }
  }

  func linear(_ description: LinearDescription) -> TapedLinear {
    linears.first { $0.description == description }!
  }

  /// - Parameters:
  ///   - hidden: of one window.
  ///   - tape: receives the steps; nil where no gradient is wanted.
  /// - Throws: `ForwardError.nonFinite`, `CancellationError`.
  func run(_ hidden: Variable, _ tape: Tape?) throws -> Variable {
    let input = normalized(hidden, layer.norms.preMixer, tape)
    guard case .attention(let attention) = layer.mixer else {
      preconditionFailure("layers are checked when they are opened")
    }
    let mixed = normalized(try attend(input, attention, tape), layer.norms.postMixer, tape)
    let output: Variable
    switch layer.arrangement {
    case .parallel:
      let other =
        layer.norms.preFeedForward == nil
        ? input : normalized(hidden, layer.norms.preFeedForward, tape)
      let sum = added(mixed, to: hidden, times: 1, tape)
      output = try feed(other, tape).map { added($0, to: sum, times: 1, tape) } ?? sum
    case .sequential:
      let scale = layer.residualScale
      let sum = normalized(
        added(mixed, to: layer.addsToNormalized ? input : hidden, times: scale, tape),
        layer.norms.afterMixer, tape)
      let read = normalized(sum, layer.norms.preFeedForward, tape)
      guard let fed = try feed(read, tape) else {
        output = sum
        break
      }
      output = normalized(
        added(
          normalized(fed, layer.norms.postFeedForward, tape),
          to: layer.addsToNormalized ? read : sum, times: scale, tape),
        layer.norms.afterFeedForward, tape)
    }
    guard let place = output.values.firstNonFinite else { return output }
    throw ForwardError.nonFinite(
      module: "the sum of residuals", layer: layer.index,
      value: "\(output.values.values[place])", token: place / output.features)
  }

  /// Replaces what goes into the layer by what comes out of it, window by window.
  func run(_ windows: [Range<Int>], over hidden: HiddenStates) throws {
    for window in windows {
      let output = try run(Variable(hidden.rows(window)), nil)
      try hidden.replaceRows(from: window.lowerBound, with: output.values)
    }
  }

  func normalized(_ input: Variable, _ description: NormDescription?, _ tape: Tape?) -> Variable {
    guard let norm = description.flatMap({ norms[$0.module] }) else { return input }
    let copy = input.values.copy
    norm.apply(to: copy, threads: products.threads)
    let result = Variable(copy)
    tape?.record { input.addGradient(norm.gradient(of: input.values, result.gradient)) }
    return result
  }

  private func added(
    _ part: Variable, to other: Variable, times factor: Float, _ tape: Tape?
  ) -> Variable {
    let sum = other.values.copy
    sum.add(part.values, times: factor)
    let result = Variable(sum)
    tape?.record {
      other.addGradient(result.gradient)
      part.addGradient(result.gradient, times: factor)
    }
    return result
  }

  /// The parts of a fused projection's output, in the order of `parts`.
  func split(
    _ fused: Variable, _ rows: FusedRows, _ parts: [FusedRows.Part], _ tape: Tape?
  ) -> [Variable] {
    parts.map { part in
      let runs = rows.runs(of: part)
      let result = Variable(fused.values.columns(runs, count: rows.rowCount(of: part)))
      tape?.record {
        for run in runs {
          fused.addGradient(
            result.gradient, columns: run.count, from: run.target, of: result.features,
            to: run.source)
        }
      }
      return result
    }
  }
}

extension LayerDescription {
  /// Those of the layer and of its attention.
  fileprivate var allNorms: [NormDescription] {
    var all = [
      norms.preMixer, norms.postMixer, norms.afterMixer, norms.preFeedForward,
      norms.postFeedForward, norms.afterFeedForward,
    ]
    if case .attention(let attention) = mixer { all += [attention.queryNorm, attention.keyNorm] }
    return all.compactMap { $0 }
  }
}
