import Model

extension TapedLayer {
  /// Nil where the layer has no such part.
  func feed(_ input: Variable, _ tape: Tape?) throws -> Variable? {
    switch layer.feedForward {
    case .plain(let plain):
      let inner = try linear(plain.up).apply(to: input, products, tape)
      return try linear(plain.down).apply(
        to: activated(inner, plain.activation, tape), products, tape)
    case .gated(let gated): return try feed(input, gated, tape)
    case .mixture, nil: return nil
    }
  }

  private func feed(
    _ input: Variable, _ gated: GatedFeedForward, _ tape: Tape?
  ) throws -> Variable {
    let (gates, ups): (Variable, Variable)
    switch gated.projection {
    case .separate(let gate, let up):
      gates = try linear(gate).apply(to: input, products, tape)
      ups = try linear(up).apply(to: input, products, tape)
    case .fused(let fused, let rows):
      let parts = split(
        try linear(fused).apply(to: input, products, tape), rows, [.gate, .up], tape)
      (gates, ups) = (parts[0], parts[1])
    }
    guard case .activated(let activation) = gated.gating else {
      preconditionFailure("layers are checked when they are opened")
    }
    let open = activated(gates, activation, tape)
    let inner = Variable(
      Activations(
        tokens: open.tokens, features: open.features,
        values: zip(open.values.values, ups.values.values).map { $0 * $1 }))
    tape?.record {
      open.addGradient(zip(inner.gradient, ups.values.values).map { $0 * $1 })
      ups.addGradient(zip(inner.gradient, open.values.values).map { $0 * $1 })
    }
    return try linear(gated.down).apply(to: inner, products, tape)
  }

  private func activated(
    _ input: Variable, _ activation: Activation, _ tape: Tape?
  ) -> Variable {
    let copy = input.values.copy
    copy.inRowBlocks(threads: products.threads) { rows, _ in activation.apply(to: &rows) }
    let result = Variable(copy)
    tape?.record {
      let slopes = activation.slopes(at: input.values.values)
      input.addGradient(zip(result.gradient, slopes).map { $0 * $1 })
    }
    return result
  }
}
