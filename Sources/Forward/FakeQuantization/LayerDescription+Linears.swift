import Model

extension LayerDescription {
  /// All linear layers, each expert's too.
  var linears: [LinearDescription] {
    let mixed: [LinearDescription?] =
      switch mixer {
      case .attention(let attention): attention.linears
      case .latentAttention(let latent):
        [
          latent.queryLatent?.down, latent.query, latent.keyValueDown, latent.keyValueUp,
          latent.output,
        ]
      case .mamba(let mamba): [mamba.input, mamba.parameters, mamba.step, mamba.output]
      case .mamba2(let mamba): [mamba.input, mamba.output]
      }
    return mixed.compactMap { $0 } + (feedForward?.linears ?? [])
  }
}

extension AttentionDescription {
  fileprivate var linears: [LinearDescription] {
    switch projection {
    case .separate(let query, let key, let value): [query, key, value, output]
    case .fused(let linear, _): [linear, output]
    }
  }
}

extension FeedForwardDescription {
  fileprivate var linears: [LinearDescription] {
    switch self {
    case .plain(let plain): return [plain.up, plain.down]
    case .gated(let gated): return gated.linears
    case .mixture(let mixture):
      let experts = (0..<mixture.experts.count).flatMap { mixture.experts.expert($0).linears }
      let shared = [mixture.shared?.gate].compactMap { $0 } + (mixture.shared?.expert.linears ?? [])
      return [mixture.router] + experts + shared
    }
  }
}

extension GatedFeedForward {
  fileprivate var linears: [LinearDescription] {
    switch projection {
    case .separate(let gate, let up): [gate, up, down]
    case .fused(let linear, _): [linear, down]
    }
  }
}
