import Formats

extension DecoderBuilder {
  private static let largestExpertCount = 1 << 16

  mutating func feedForward(
    _ prefix: String, layer: Int, of layerCount: Int
  ) throws(ArchitectureError) -> FeedForwardDescription? {
    guard let names = family.feedForward else { return nil }
    if let mixture = family.mixture {
      // What only dense layers have is also asked for where there are none.
      let denseWidth = try config.sizeIfPresent(family.feedForwardWidth.keys)
      if try isMixture(layer, of: layerCount, mixture.layers) {
        return .mixture(try self.mixture(prefix, mixture, denseWidth: denseWidth))
      }
    }
    let width: Int
    if let ratio = family.feedForwardRatio {
      width = try config.sizeIfPresent(family.feedForwardWidth.keys) ?? ratio * hiddenSize
    } else {
      width = try config.size(family.feedForwardWidth.keys)
    }
    let bias = try config.flag(family.feedForwardBias)
    let activation = try activation()
    func down(_ name: String) -> LinearDescription {
      linear(prefix + name, bias: bias, width, hiddenSize)
    }
    switch names {
    case .plain(let up, let downName):
      return .plain(
        PlainFeedForward(
          up: linear(prefix + up, bias: bias, hiddenSize, width), down: down(downName),
          activation: activation))
    case .gated(let gate, let up, let downName):
      return .gated(
        GatedFeedForward(
          projection: .separate(
            gate: linear(prefix + gate, bias: bias, hiddenSize, width),
            up: linear(prefix + up, bias: bias, hiddenSize, width)),
          down: down(downName), gating: .activated(activation)))
    case .fusedGated(let name, let downName):
      // Both counts are positive and make up the rows.
      let rows = FusedRows([.init(.gate, width), .init(.up, width)], rowCount: 2 * width)!
      return .gated(
        GatedFeedForward(
          projection: .fused(linear(prefix + name, bias: bias, hiddenSize, 2 * width), rows),
          down: down(downName), gating: .activated(activation)))
    }
  }

  private mutating func activation() throws(ArchitectureError) -> Activation {
    let name = try config.text(family.activation.keys, absent: family.activation.absent)
    guard let activation = Activation(name: name) else {
      throw .badValue(
        key: family.activation.keys.first ?? "", value: name, expected: "a known activation")
    }
    return activation
  }

  private mutating func isMixture(
    _ layer: Int, of layerCount: Int, _ layers: ArchitectureFamily.Mixture.Layers
  ) throws(ArchitectureError) -> Bool {
    switch layers {
    case .all: return true
    case .from(let key):
      return layer >= (try config.size([key], allowsZero: true))
    case .listed:
      let step = try config.size(["decoder_sparse_step"], absent: 1)
      let dense = try config.listIfPresent("mlp_only_layers") ?? []
      return !dense.contains(.integer(layer)) && (layer + 1) % step == 0
    }
  }

  private mutating func mixture(
    _ prefix: String, _ facts: ArchitectureFamily.Mixture, denseWidth: Int?
  ) throws(ArchitectureError) -> MixtureDescription {
    let count = try config.size(
      facts.count.keys, absent: facts.count.absent, limit: Self.largestExpertCount)
    let chosen = try config.size(facts.chosen.keys, absent: facts.chosen.absent, limit: count)
    let width = try config.size(facts.width)
    let gating: GatedFeedForward.Gating
    if let clamp = facts.clamp {
      gating = .clamped(
        limit: Float(try config.positive(clamp.limit.keys, absent: clamp.limit.absent)),
        alpha: Float(try config.number(clamp.alpha.keys, absent: clamp.alpha.absent)))
    } else {
      gating = .activated(try activation())
    }
    return MixtureDescription(
      router: LinearDescription(
        module: prefix + facts.router,
        bias: facts.routerBias ? prefix + facts.router + ".bias" : nil,
        inputs: hiddenSize, outputs: count),
      routing: try routing(prefix, facts.routing, count: count, chosen: chosen),
      chosenCount: chosen,
      experts: ExpertsDescription(
        storage: facts.experts.behind(prefix), count: count, hiddenSize: hiddenSize, width: width,
        gating: gating),
      shared: try facts.shared.map { (shared) throws(ArchitectureError) in
        try self.shared(prefix, shared, expertWidth: width, gating)
      } ?? nil)
  }

  private mutating func routing(
    _ prefix: String, _ routing: ArchitectureFamily.Mixture.Routing, count: Int, chosen: Int
  ) throws(ArchitectureError) -> MixtureDescription.Routing {
    switch routing {
    case .softmax(let renormalizes):
      return .softmax(renormalizes: try config.flag(renormalizes))
    case .softmaxOfChosen: return .softmaxOfChosen
    case .sigmoid(let bias):
      let groups = try config.size(["n_group"], limit: count)
      let chosenGroups = try config.size(["topk_group"], limit: groups)
      guard count % groups == 0, count / groups >= 2 || groups == 1,
        chosen <= count / groups * chosenGroups
      else {
        throw .badValue(
          key: "n_group", value: "\(groups)",
          expected: "a divisor of \(count) experts, of which \(chosen) are chosen")
      }
      return .sigmoid(
        bias: prefix + bias, groups: groups, chosenGroups: chosenGroups,
        renormalizes: try config.flag("norm_topk_prob", absent: true),
        scale: Float(try config.number(["routed_scaling_factor"])))
    }
  }

  /// Nil where there are none of such experts.
  private mutating func shared(
    _ prefix: String, _ facts: ArchitectureFamily.Mixture.Shared, expertWidth: Int,
    _ gating: GatedFeedForward.Gating
  ) throws(ArchitectureError) -> MixtureDescription.SharedExpert? {
    let width: Int
    switch facts.width {
    case .key(let key): width = try config.size([key])
    case .multiple(let key):
      guard let count = try config.sizeIfPresent([key], limit: 1 << 10, allowsZero: true), count > 0
      else { return nil }
      width = count * expertWidth
    }
    let at = prefix + facts.prefix
    return MixtureDescription.SharedExpert(
      expert: GatedFeedForward(
        projection: .separate(
          gate: linear(at + "gate_proj", bias: false, hiddenSize, width),
          up: linear(at + "up_proj", bias: false, hiddenSize, width)),
        down: linear(at + "down_proj", bias: false, width, hiddenSize), gating: gating),
      gate: facts.gate.map { linear(prefix + $0, bias: false, hiddenSize, 1) })
  }
}

extension ExpertsDescription.Storage {
  /// The same behind a layer's prefix.
  fileprivate func behind(_ layer: String) -> ExpertsDescription.Storage {
    switch self {
    case .separate(let prefix, let gate, let up, let down):
      .separate(prefix: layer + prefix, gate: gate, up: up, down: down)
    case .stacked(let prefix, let gateUp, let down):
      .stacked(prefix: layer + prefix, gateUp: gateUp, down: down)
    }
  }
}
