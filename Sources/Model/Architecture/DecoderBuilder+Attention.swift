import Formats

extension DecoderBuilder {
  private static let largestHeadCount = 1 << 10
  private static let largestHeadWidth = 1 << 14

  mutating func attention(
    _ prefix: String, layer: Int, of layerCount: Int
  ) throws(ArchitectureError) -> AttentionDescription {
    let heads = try heads()
    let window = try window(layer: layer, of: layerCount, isRotated: isRotated(layer, layerCount))
    var rotary: RotaryDescription?
    if try isRotated(layer, layerCount) {
      rotary = try rotaryParameters(ofWindow: window != nil).description(
        headWidth: heads.width, pairing: family.rotary.pairing)
    }
    var bias: LinearBias?
    if case .linearBias(let form) = family.positions { bias = LinearBias(form: form) }
    let norms = try queryKeyNorms(prefix, heads)
    return AttentionDescription(
      projection: try projection(prefix, heads),
      output: linear(
        prefix + family.output, bias: try config.flag(family.outputBias),
        heads.count * heads.valueWidth, hiddenSize),
      heads: heads, queryNorm: norms?.query, keyNorm: norms?.key, rotary: rotary, bias: bias,
      scoring: AttentionScoring(
        scale: try scale(heads, layer: layer), cap: try cap(family.attentionCap), window: window,
        sinks: family.sinks.map { prefix + $0 }))
  }

  private mutating func headCount() throws(ArchitectureError) -> Int {
    try config.size(family.headCount, limit: Self.largestHeadCount)
  }

  private mutating func heads() throws(ArchitectureError) -> AttentionHeads {
    let count = try headCount()
    let keyValueCount: Int
    switch family.keyValueHeads {
    case .asQueries: keyValueCount = count
    case .one: keyValueCount = 1
    case .listed(let keys, let absent):
      if case .absent = config.find(keys) {
        keyValueCount = absent ?? count
      } else {
        keyValueCount =
          try config.sizeIfPresent(keys, limit: Self.largestHeadCount) ?? count
      }
      guard count % keyValueCount == 0 else {
        throw .badValue(
          key: keys[0], value: "\(keyValueCount)", expected: "a divisor of \(count) heads")
      }
    }
    let width: Int
    if let given = try config.sizeIfPresent(family.headWidth.keys, limit: Self.largestHeadWidth) {
      width = given
    } else if case .absent = config.find(family.headWidth.keys),
      let absent = family.headWidth.absent
    {
      width = absent
    } else {
      guard hiddenSize % count == 0, hiddenSize / count <= Self.largestHeadWidth else {
        throw .badValue(
          key: family.headCount[0], value: "\(count)", expected: "a divisor of \(hiddenSize)")
      }
      width = hiddenSize / count
    }
    return AttentionHeads(
      count: count, keyValueCount: keyValueCount, width: width, valueWidth: width)
  }

  private mutating func projection(
    _ prefix: String, _ heads: AttentionHeads
  ) throws(ArchitectureError) -> AttentionDescription.Projection {
    let bias = try config.flag(family.projectionBias)
    let (queries, keys) = (heads.count * heads.width, heads.keyValueCount * heads.width)
    switch family.projection {
    case .separate(let query, let key, let value):
      return .separate(
        query: linear(prefix + query, bias: bias, hiddenSize, queries),
        key: linear(prefix + key, bias: bias, hiddenSize, keys),
        value: linear(prefix + value, bias: bias, hiddenSize, keys))
    case .fused(let name, let order):
      let rowCount = queries + 2 * keys
      let rows =
        switch order {
        case .contiguous:
          FusedRows([.init(.q, queries), .init(.k, keys), .init(.v, keys)], rowCount: rowCount)
        case .grouped:
          FusedRows(
            [
              .init(.q, heads.count / heads.keyValueCount * heads.width), .init(.k, heads.width),
              .init(.v, heads.width),
            ], repeats: heads.keyValueCount, rowCount: rowCount)
        }
      // The runs are those that the count is made of.
      return .fused(linear(prefix + name, bias: bias, hiddenSize, rowCount), rows!)
    }
  }

  private mutating func queryKeyNorms(
    _ prefix: String, _ heads: AttentionHeads
  ) throws(ArchitectureError) -> (query: NormDescription, key: NormDescription)? {
    guard let names = family.queryKeyNorm, try config.flag(names.isThere) else { return nil }
    func norm(_ name: String, _ count: Int) -> NormDescription {
      let (module, width) = (prefix + name, heads.width)
      let modules =
        names.form == .headsOfTheirOwn ? (0..<count).map { "\(module)\($0)" } : [module]
      let shape =
        switch names.form {
        case .head, .headsOfTheirOwn: [width]
        case .headsOfOneTensor: [count, width]
        case .all: [count * width]
        }
      return NormDescription(
        kind: family.norm, module: module, weights: modules.map { $0 + ".weight" },
        biases: names.hasBias && normBiases ? modules.map { $0 + ".bias" } : [], shape: shape,
        epsilon: epsilon, features: count * width,
        groupSize: names.form == .all ? count * width : width)
    }
    return (norm(names.query, heads.count), norm(names.key, heads.keyValueCount))
  }

  private mutating func scale(
    _ heads: AttentionHeads, layer: Int
  ) throws(ArchitectureError) -> Float {
    let scale: Double =
      switch family.scale {
      case .inverseRootOfWidth: 1 / Double(heads.width).squareRoot()
      case .inverseRoot(let fact):
        1 / (try config.positive(fact.keys, absent: fact.absent)).squareRoot()
      case .factor(let fact): try config.number(fact.keys, absent: fact.absent)
      }
    return Float(family.dividesScaleByLayer ? scale / Double(layer + 1) : scale)
  }

  // MARK: Windows

  /// Whether queries and keys of a layer are rotated.
  private mutating func isRotated(
    _ layer: Int, _ layerCount: Int
  ) throws(ArchitectureError) -> Bool {
    guard case .rotary = family.positions else { return false }
    guard let list = family.rotary.layerList else { return true }
    let interval = try config.size(list.interval.keys, absent: list.interval.absent)
    guard let listed = try config.listIfPresent(list.key, count: layerCount) else {
      return (layer + 1) % interval != 0
    }
    guard let flag = listed[layer].intValue, flag == 0 || flag == 1 else {
      throw config.error(list.key, listed[layer], expected: "0 or 1 for each layer")
    }
    return flag == 1
  }

  private mutating func windowSize() throws(ArchitectureError) -> Int? {
    guard case .absent = config.find(["sliding_window"]) else {
      return try config.sizeIfPresent(["sliding_window"], limit: 1 << 30, allowsZero: true)
    }
    return family.absentWindow
  }

  /// Whether the family's rule gives a layer a window.
  private mutating func hasWindow(
    _ layer: Int, isRotated: Bool
  ) throws(ArchitectureError) -> Bool {
    let last = try lastWindowlessLayer()
    switch family.window {
    case .none: return false
    case .everyLayer, .everyLayerIfEnabled: return true
    case .evenLayers: return layer % 2 == 0
    case .allButEach(let fact):
      return (layer + 1) % (try config.size(fact.keys, absent: fact.absent)) != 0
    case .lateLayersIfEnabled: return layer >= last
    case .evenEarlyLayersIfEnabled: return layer % 2 == 0 && layer < last
    case .unrotatedLayersIfEnabled: return !isRotated
    }
  }

  private mutating func lastWindowlessLayer() throws(ArchitectureError) -> Int {
    switch family.window {
    case .lateLayersIfEnabled, .evenEarlyLayersIfEnabled:
      try config.size(["max_window_layers"], absent: 28, allowsZero: true)
    default: 0
    }
  }

  /// Positions that a query of a layer sees; nil for all.
  private mutating func window(
    layer: Int, of layerCount: Int, isRotated: Bool
  ) throws(ArchitectureError) -> Int? {
    let byRule = try hasWindow(layer, isRotated: isRotated)
    var size: Int?
    if case .none = family.window { size = nil } else { size = try windowSize() }
    switch family.window {
    case .lateLayersIfEnabled, .evenEarlyLayersIfEnabled, .everyLayerIfEnabled,
      .unrotatedLayersIfEnabled:
      if try !config.flag("use_sliding_window", absent: false) { size = nil }
    case .none, .everyLayer, .evenLayers, .allButEach: break
    }
    let listed = try listedWindow(layer, layerCount)
    guard let size, size > 0 else {
      // A list may name windows that nothing gives a size, and must not otherwise.
      guard listed != true || family.followsLayerTypes else {
        throw .badValue(
          key: "layer_types", value: "sliding_attention", expected: "full_attention")
      }
      return nil
    }
    if let listed, !family.followsLayerTypes, listed != byRule {
      throw .badValue(
        key: "layer_types", value: listed ? "sliding_attention" : "full_attention",
        expected: byRule ? "sliding_attention" : "full_attention")
    }
    return family.followsLayerTypes && listed != nil ? (listed! ? size : nil) : byRule ? size : nil
  }

  /// Whether `layer_types` gives a layer a window; nil where there is no list.
  private mutating func listedWindow(
    _ layer: Int, _ layerCount: Int
  ) throws(ArchitectureError) -> Bool? {
    guard let list = try config.listIfPresent("layer_types", count: layerCount) else { return nil }
    switch list[layer].stringValue {
    case "sliding_attention": return true
    case "full_attention": return false
    default:
      throw config.error(
        "layer_types", list[layer], expected: "full_attention or sliding_attention for each layer")
    }
  }

  // MARK: Latent attention

  mutating func latentAttention(
    _ prefix: String
  ) throws(ArchitectureError) -> LatentAttentionDescription {
    let count = try headCount()
    let plain = try config.size(["qk_nope_head_dim"], limit: Self.largestHeadWidth)
    let rotated = try config.size(["qk_rope_head_dim"], limit: Self.largestHeadWidth)
    let value = try config.size(["v_head_dim"], limit: Self.largestHeadWidth)
    let latent = try config.size(["kv_lora_rank"])
    let queryRank = try config.sizeIfPresent(["q_lora_rank"])
    let at = prefix + "self_attn."
    let bias = try config.flag(family.projectionBias)
    // Whatever the configuration says of the other norms.
    func inner(_ name: String, _ width: Int) -> NormDescription {
      norm(at + name, features: width, epsilon: 1e-6)
    }
    let parameters = try rotaryParameters(ofWindow: false)
    let scale = (1 / Double(plain + rotated).squareRoot()) * parameters.latentScale
    let heads = AttentionHeads(
      count: count, keyValueCount: count, width: plain + rotated, valueWidth: value)
    return LatentAttentionDescription(
      queryLatent: queryRank.map {
        .init(
          down: linear(at + "q_a_proj", bias: bias, hiddenSize, $0),
          norm: inner("q_a_layernorm", $0))
      },
      query: linear(
        at + (queryRank == nil ? "q_proj" : "q_b_proj"), bias: false, queryRank ?? hiddenSize,
        count * heads.width),
      keyValueDown: linear(at + "kv_a_proj_with_mqa", bias: bias, hiddenSize, latent + rotated),
      latentWidth: latent, latentNorm: inner("kv_a_layernorm", latent),
      keyValueUp: linear(at + "kv_b_proj", bias: false, latent, count * (plain + value)),
      output: linear(
        at + "o_proj", bias: try config.flag(family.outputBias), count * value, hiddenSize),
      heads: heads, plainWidth: plain,
      rotary: try parameters.description(headWidth: rotated, pairing: family.rotary.pairing),
      scoring: AttentionScoring(scale: Float(scale), cap: nil, window: nil, sinks: nil))
  }
}
