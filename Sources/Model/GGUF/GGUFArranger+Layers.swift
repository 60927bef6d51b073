import Formats

extension GGUFArranger {
  mutating func add(_ layer: LayerDescription) throws(GGUFModelError) {
    let at = "blk.\(layer.index)."
    switch layer.mixer {
    case .attention(let attention): try add(attention, at)
    case .latentAttention(let attention): try add(attention, at)
    case .mamba(let mamba): try add(mamba, at)
    case .mamba2(let mamba): try add(mamba, at)
    }
    try addNorms(layer, at)
    switch layer.feedForward {
    case .plain(let plain):
      try add(at + "ffn_up", plain.up)
      try add(at + "ffn_down", plain.down)
    case .gated(let gated): try add(gated, at, "")
    case .mixture(let mixture): try add(mixture, at)
    case nil: break
    }
  }

  private mutating func addNorms(
    _ layer: LayerDescription, _ at: String
  ) throws(GGUFModelError) {
    let (norms, names) = (layer.norms, architecture.norms)
    // Falcon with two norms before a layer: the attention's is called the second.
    let isSecond = architecture.name == "falcon" && norms.preFeedForward != nil
    for (norm, name) in [
      (norms.preMixer, isSecond ? "attn_norm_2" : names.preMixer),
      (norms.postMixer, names.postMixer),
      (norms.preFeedForward, isSecond ? "attn_norm" : names.preFeedForward),
      (norms.postFeedForward, names.postFeedForward),
    ] {
      guard let norm else { continue }
      guard let name else {
        throw .notExpressible(
          "the norm '\(norm.module)'", modelType: description.modelType,
          architecture: architecture.name)
      }
      try add(at + name, norm)
    }
  }

  // MARK: Attention

  private mutating func add(
    _ attention: AttentionDescription, _ at: String
  ) throws(GGUFModelError) {
    let heads = attention.heads
    let factor = scoreFactor(attention)
    let changes: [WeightChange] = factor == 1 ? [] : [.multiply(factor)]
    switch attention.projection {
    case .separate(let query, let key, let value):
      try add(
        at + "attn_q", query, rows: paired(heads.count, heads.width),
        changes: attention.queryNorm == nil ? changes : [])
      try add(at + "attn_k", key, rows: paired(heads.keyValueCount, heads.width))
      try add(at + "attn_v", value)
    case .fused(let linear, let rows):
      try add(at + "attn_qkv", linear, rows: rows.order(of: [.q, .k, .v]))
    }
    try add(at + "attn_output", attention.output)
    if let norm = attention.queryNorm { try add(at + "attn_q_norm", norm, changes: changes) }
    if let norm = attention.keyNorm { try add(at + "attn_k_norm", norm) }
    if let sinks = attention.scoring.sinks {
      try add(at + "attn_sinks.weight", sinks, [heads.count])
    }
  }

  /// What queries are multiplied with so that scores have the scale that llama.cpp gives them, which is
  /// 1 / √(hidden size / heads) in the Gemmas of 27 billion weights, told by their layers.
  private func scoreFactor(_ attention: AttentionDescription) -> Double {
    guard architecture.features.contains(.foldedAttentionScale) else { return 1 }
    let count = description.layers.count
    let isLarge = architecture.name == "gemma2" ? count == 46 : count == 62
    let width =
      isLarge
      ? Double(description.hiddenSize) / Double(attention.heads.count)
      : Double(attention.heads.width)
    let factor = Double(attention.scoring.scale) * width.squareRoot()
    return abs(factor - 1) < 1e-6 ? 1 : factor
  }

  /// The order in which the rows that are rotated together are neighbours, where llama.cpp expects that and
  /// the source has them half a head apart.
  private func paired(_ heads: Int, _ width: Int) -> RowOrder? {
    guard architecture.rotation == .adjacent,
      description.rotaries.contains(where: { $0.pairing == .halves })
    else { return nil }
    return .paired(heads: heads, width: width)
  }

  private mutating func add(
    _ attention: LatentAttentionDescription, _ at: String
  ) throws(GGUFModelError) {
    let heads = attention.heads
    var changes: [WeightChange] = []
    if case .yarn(let yarn) = attention.rotary.scaling, yarn.magnitude != 1 {
      // Undone for all of a query, of which llama.cpp takes the magnitude for the rotated part alone.
      changes = [.multiply(1 / (yarn.magnitude * yarn.magnitude))]
    }
    if let latent = attention.queryLatent {
      try add(at + "attn_q_a", latent.down)
      try add(at + "attn_q_a_norm", latent.norm)
      try add(at + "attn_q_b", attention.query, changes: changes)
    } else {
      try add(at + "attn_q", attention.query, changes: changes)
    }
    try add(at + "attn_kv_a_mqa", attention.keyValueDown)
    try add(at + "attn_kv_a_norm", attention.latentNorm)
    let up = attention.keyValueUp
    let (plain, values, rank) = (attention.plainWidth, heads.valueWidth, attention.latentWidth)
    try add(
      at + "attn_k_b.weight", up.weight, up.weightShape, as: [heads.count, rank, plain]
    ) { names, shape in
      TensorOrigin(
        names, shape: shape, order: .inputMajor, matrixRows: plain + values, inputs: 0..<plain)
    }
    try add(
      at + "attn_v_b.weight", up.weight, up.weightShape, as: [heads.count, values, rank]
    ) { names, shape in
      TensorOrigin(
        names, shape: shape, matrixRows: plain + values,
        outputs: .init(first: plain, count: values))
    }
    try add(at + "attn_output", attention.output)
  }

  // MARK: Feed-forward parts

  /// - Parameter suffix: of the names, such as `_shexp`.
  private mutating func add(
    _ gated: GatedFeedForward, _ at: String, _ suffix: String
  ) throws(GGUFModelError) {
    switch gated.projection {
    case .separate(let gate, let up):
      try add(at + "ffn_gate" + suffix, gate)
      try add(at + "ffn_up" + suffix, up)
    // The gate's rows first, as all families have them that are not mixtures.
    case .fused(let linear, _): try add(at + "ffn_up" + suffix, linear)
    }
    try add(at + "ffn_down" + suffix, gated.down)
  }

  private mutating func add(
    _ mixture: MixtureDescription, _ at: String
  ) throws(GGUFModelError) {
    try add(at + "ffn_gate_inp", mixture.router)
    if case .sigmoid(let bias?, _, _, _, _) = mixture.routing {
      try add(at + "exp_probs_b.bias", bias, [mixture.experts.count])
    }
    try add(mixture.experts, at)
    guard let shared = mixture.shared else { return }
    try add(shared.expert, at, "_shexp")
    if let gate = shared.gate {
      try add(
        at + "ffn_gate_inp_shexp.weight", gate.weight, gate.weightShape, as: [gate.inputs])
    }
  }

  private mutating func add(
    _ experts: ExpertsDescription, _ at: String
  ) throws(GGUFModelError) {
    let (count, hidden, width) = (experts.count, experts.hiddenSize, experts.width)
    switch experts.storage {
    case .separate(let prefix, let gate, let up, let down):
      for (target, name, shape) in [
        ("ffn_gate_exps", gate, [width, hidden]), ("ffn_up_exps", up, [width, hidden]),
        ("ffn_down_exps", down, [hidden, width]),
      ] {
        try add(
          "\(at)\(target).weight", stackOf: count, prefix, ".\(name).weight", shape)
      }
    case .stacked(let prefix, let gateUp, let down):
      for (index, target) in ["ffn_gate_exps", "ffn_up_exps"].enumerated() {
        // Gates and values alternate.
        let every = TensorOrigin.Steps(first: index, count: width, step: 2)
        try add(
          "\(at)\(target).weight", prefix + gateUp, [count, hidden, 2 * width],
          as: [count, width, hidden]
        ) { names, shape in
          TensorOrigin(names, shape: shape, order: .inputMajor, outputs: every)
        }
        try add(
          "\(at)\(target).bias", prefix + gateUp + "_bias", [count, 2 * width], as: [count, width]
        ) { names, shape in
          TensorOrigin(names, shape: shape, order: .inputMajor, matrixRows: 1, outputs: every)
        }
      }
      try add(
        "\(at)ffn_down_exps.weight", prefix + down, [count, width, hidden], order: .inputMajor)
      try add("\(at)ffn_down_exps.bias", prefix + down + "_bias", [count, hidden])
    }
  }

  // MARK: State spaces

  private mutating func add(
    _ convolution: ConvolutionDescription, _ at: String
  ) throws(GGUFModelError) {
    let (channels, taps) = (convolution.channels, convolution.taps)
    try add(
      at + "ssm_conv1d.weight", convolution.weight, [channels, 1, taps], as: [channels, taps]
    ) { TensorOrigin($0, shape: $1, matrixRows: channels) }
    if let bias = convolution.bias { try add(at + "ssm_conv1d.bias", bias, [channels]) }
  }

  private mutating func add(
    _ mamba: MambaDescription, _ at: String
  ) throws(GGUFModelError) {
    try add(at + "ssm_in", mamba.input)
    try add(mamba.convolution, at)
    try add(at + "ssm_x", mamba.parameters)
    try add(at + "ssm_dt", mamba.step)
    try add(
      at + "ssm_a", mamba.logDecay, [mamba.channels, mamba.stateSize],
      changes: [.negativeExponential])
    try add(at + "ssm_d", mamba.skip, [mamba.channels])
    try add(at + "ssm_out", mamba.output)
  }

  private mutating func add(
    _ mamba: Mamba2Description, _ at: String
  ) throws(GGUFModelError) {
    let heads = mamba.headCount
    try add(at + "ssm_in", mamba.input)
    try add(mamba.convolution, at)
    try add(at + "ssm_dt.bias", mamba.stepBias, [heads])
    try add(
      at + "ssm_a", mamba.logDecay, [heads], as: [heads, 1], changes: [.negativeExponential])
    try add(at + "ssm_d", mamba.skip, [heads], as: [heads, 1])
    try add(
      at + "ssm_norm", mamba.norm, as: [mamba.groupCount, mamba.channels / mamba.groupCount])
    try add(at + "ssm_out", mamba.output)
  }
}

extension RowOrder {
  /// Rows that lie half a head apart become neighbours: row `2i + h` of a head is its row `h * width / 2 + i`.
  static func paired(heads: Int, width: Int) -> RowOrder {
    // All rows, each once.
    RowOrder(
      [
        Run([
          Loop(heads, step: width), Loop(width / 2, step: 1), Loop(2, step: width / 2),
        ])
      ], of: heads * width)!
  }
}

extension FusedRows {
  /// All rows of one part, then all of the next; nil where they lie so.
  func order(of parts: [Part]) -> RowOrder? {
    guard repeats > 1 else { return nil }
    let length = rowCount / repeats
    var first = 0
    var runs: [Part: RowOrder.Run] = [:]
    for run in pattern {
      runs[run.part] = .init(
        first: first, [.init(repeats, step: length), .init(run.count, step: 1)])
      first += run.count
    }
    return RowOrder(parts.compactMap { runs[$0] }, of: rowCount)
  }
}
