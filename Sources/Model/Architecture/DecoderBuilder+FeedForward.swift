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

  // MARK: State spaces

  mutating func mamba(_ prefix: String) throws(ArchitectureError) -> MambaDescription {
    let channels = try innerWidth()
    let state = try config.size(["state_size"], absent: 16)
    let rank: Int
    if case .value("auto", _) = config.find(["time_step_rank"]) {
      rank = (hiddenSize + 15) / 16
    } else {
      rank = try config.size(["time_step_rank"], absent: (hiddenSize + 15) / 16)
    }
    let bias = try config.flag("use_bias", absent: false)
    return MambaDescription(
      input: linear(prefix + "in_proj", bias: bias, hiddenSize, 2 * channels),
      convolution: try convolution(prefix, channels: channels),
      parameters: linear(prefix + "x_proj", bias: false, channels, rank + 2 * state),
      step: linear(prefix + "dt_proj", bias: true, rank, channels),
      output: linear(prefix + "out_proj", bias: bias, channels, hiddenSize),
      logDecay: prefix + "A_log", skip: prefix + "D", channels: channels, stateSize: state,
      stepRank: rank)
  }

  /// The hidden size times `expand`; the configuration may say it again.
  private mutating func innerWidth() throws(ArchitectureError) -> Int {
    let channels = try config.size(["expand"], absent: 2, limit: 64) * hiddenSize
    if let said = try config.sizeIfPresent(["intermediate_size"]), said != channels {
      throw .badValue(key: "intermediate_size", value: "\(said)", expected: "\(channels)")
    }
    return channels
  }

  private mutating func convolution(
    _ prefix: String, channels: Int
  ) throws(ArchitectureError) -> ConvolutionDescription {
    ConvolutionDescription(
      weight: prefix + "conv1d.weight",
      bias: try config.flag("use_conv_bias", absent: true) ? prefix + "conv1d.bias" : nil,
      channels: channels, taps: try config.size(["conv_kernel"], absent: 4, limit: 64))
  }

  mutating func mamba2(_ prefix: String) throws(ArchitectureError) -> Mamba2Description {
    let heads = try config.size(["num_heads"], limit: 1 << 12)
    let width = try config.size(["head_dim"], limit: 1 << 12)
    let groups = try config.size(["n_groups"], absent: 8, limit: heads)
    let state = try config.size(["state_size"], absent: 128, limit: 1 << 14)
    let inner = try innerWidth()
    guard heads * width == inner, heads % groups == 0 else {
      throw .badValue(
        key: "num_heads", value: "\(heads)",
        expected: "\(inner) channels by heads of \(width), in \(groups) groups")
    }
    let bias = try config.flag("use_bias", absent: false)
    let mixed = inner + 2 * groups * state
    var steps = [0, Double.infinity]
    if config.has("time_step_limit") { steps = try config.numbers("time_step_limit", count: 2) }
    guard steps[0] <= steps[1] else {
      throw .badValue(
        key: "time_step_limit", value: "\(steps)", expected: "a lower and an upper limit")
    }
    return Mamba2Description(
      input: linear(prefix + "in_proj", bias: bias, hiddenSize, inner + mixed + heads),
      convolution: try convolution(prefix, channels: mixed),
      output: linear(prefix + "out_proj", bias: bias, inner, hiddenSize),
      norm: norm(
        prefix + "norm", features: inner, groupSize: inner / groups, epsilon: epsilon),
      logDecay: prefix + "A_log", skip: prefix + "D", stepBias: prefix + "dt_bias",
      headCount: heads, headWidth: width, groupCount: groups, stateSize: state,
      leastStep: Float(steps[0]), largestStep: Float(steps[1]))
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
