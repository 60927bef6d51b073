import Model

extension BlockRun {
  func plain(_ input: Activations, _ plain: PlainFeedForward) throws -> Activations {
    let inner = try step.apply(plain.up, to: step.observed(input, by: [plain.up]))
    inner.inRowBlocks(threads: pass.context.threads) { rows, _ in plain.activation.apply(to: &rows)
    }
    return try step.apply(plain.down, to: step.observed(inner, by: [plain.down]))
  }

  func gated(
    _ input: Activations, _ gated: GatedFeedForward, _ step: LinearStep
  ) throws -> Activations {
    let (gates, ups): (Activations, Activations)
    switch gated.projection {
    case .separate(let gate, let up):
      let input = try step.observed(input, by: [gate, up])
      (gates, ups) = (try step.apply(gate, to: input), try step.apply(up, to: input))
    case .fused(let linear, let rows):
      let fused = try step.apply(linear, to: step.observed(input, by: [linear]))
      let parts = split(fused, rows, [.gate, .up])
      (gates, ups) = (parts[0], parts[1])
    }
    let rising = ups.values
    gates.inRowBlocks(threads: pass.context.threads) { rows, first in
      gated.gating.apply(to: &rows, rising.span.extracting(first..<first + rows.count))
    }
    return try step.apply(gated.down, to: step.observed(gates, by: [gated.down]))
  }

  /// Routes all tokens, then visits each expert once, with those that were sent to it.
  func mixture(_ input: Activations, _ mixture: MixtureDescription) throws -> Activations {
    let scores = try step.apply(
      mixture.router, to: step.observed(input, by: [mixture.router]))
    let routes = try Router(mixture, in: pass.model).routes(scores)
    let output = Activations(tokens: input.tokens, features: input.features)
    for (expert, route) in routes.enumerated() where !route.tokens.isEmpty {
      let described = mixture.experts.expert(expert)
      let step = LinearStep(
        pass, layer: layer, tokens: .list(route.tokens.map { tokens.lowerBound + $0 }))
      let given = try gated(input.rows(route.tokens), described, step)
      output.add(given, to: route.tokens, times: route.weights)
    }
    guard let shared = mixture.shared else { return output }
    let given = try gated(input, shared.expert, step)
    var weights = [Float](repeating: 1, count: input.tokens)
    if let gate = shared.gate {
      weights = try step.apply(gate, to: step.observed(input, by: [gate])).values.map(sigmoid)
    }
    output.add(given, to: Array(0..<input.tokens), times: weights)
    return output
  }
}
