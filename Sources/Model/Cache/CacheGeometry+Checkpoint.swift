import Formats

extension CacheGeometry {
  /// What the projections of one layer show: their numbers of outputs.
  struct Projections {
    var key: Int?
    var value: Int?
    /// Queries, keys and values in one matrix.
    var fused: Int?
    /// The latent and the rotary key of multi-head latent attention.
    var latent: Int?
  }

  /// Tells the cache of the model that `config` describes and `tensors` make up. Where the two
  /// differ the tensors are believed, since they are what will run, and the difference is reported.
  /// Layers whose memory is described in unknown words, or whose projections are not to be found,
  /// count as having the most that they may have.
  ///
  /// - Parameters:
  ///   - config: nil where a checkpoint has none.
  ///   - tensors: identity and shape of every weight, packed ones with the shape of the weight;
  ///     none to go by the configuration alone.
  package init(
    config: ModelConfig?, tensors: some Sequence<(identity: TensorIdentity, shape: [Int])>
  ) throws(CacheGeometryError) {
    let config = config ?? ModelConfig(document: [:])
    if config.fact("is_encoder_decoder")?.boolValue == true { throw .encoderAndDecoder }
    let projections = try Self.projections(tensors)
    let lastLayer = projections.keys.max()
    guard let count = config.layerCount ?? lastLayer.map({ $0 + 1 }) else { throw .noLayers }
    guard count <= Self.largestCount else {
      throw .unbelievable(fact: "the number of layers", value: count)
    }
    var resolver = CacheLayerResolver(config: config, hasProjections: !projections.isEmpty)
    var layers: [Layer] = []
    for index in 0..<count {
      layers.append(try resolver.layer(index, projections[index]))
    }
    // Layers beyond the last predict further tokens (DeepSeek-V3), which configurations announce.
    if let lastLayer, lastLayer >= count, config.positive("num_nextn_predict_layers") == nil {
      resolver.report("\(count) layers", "more", lastLayer)
    }
    self.init(checked: layers, disagreements: resolver.disagreements)
  }

  private static func projections(
    _ tensors: some Sequence<(identity: TensorIdentity, shape: [Int])>
  ) throws(CacheGeometryError) -> [Int: Projections] {
    var found: [Int: Projections] = [:]
    var parts: [Int: (keys: Int, values: [Int])] = [:]
    for (identity, shape) in tensors {
      // Words of weights packed by others have shapes that say nothing here.
      guard let layer = identity.layer, shape.count == 2, case .quantize = identity.treatment
      else { continue }
      let outputs = MatrixShape(stored: shape, identity.order).outputs
      let shown: [(WritableKeyPath<Projections, Int?>, Int)]
      switch identity.role {
      case .attnK: shown = [(\.key, outputs)]
      case .attnV: shown = [(\.value, outputs)]
      case .attnKV: shown = [(\.key, outputs / 2), (\.value, outputs / 2)]
      case .attnQKV:
        // With a gate in it, the number of outputs alone says nothing.
        if let rows = identity.fusedRows, rows.rowCount(of: .gate) > 0 {
          shown = [(\.key, rows.rowCount(of: .k)), (\.value, rows.rowCount(of: .v))]
        } else {
          shown = [(\.fused, outputs)]
        }
      case .attnKVA: shown = [(\.latent, outputs)]
      default: continue
      }
      guard layer < largestCount else {
        throw .unbelievable(fact: "the index of a layer", value: layer)
      }
      for (member, count) in shown {
        found[layer, default: Projections()][keyPath: member] = max(
          count, found[layer]?[keyPath: member] ?? 0)
      }
      if identity.role == .attnK { parts[layer, default: (0, [])].keys += 1 }
      if identity.role == .attnV { parts[layer, default: (0, [])].values.append(outputs) }
    }
    // Zaya makes the two halves of its values by two projections.
    for (layer, part) in parts where part.keys == 1 && part.values.count == 2 {
      found[layer]?.value = Checked.sum(part.values[0], part.values[1])
    }
    return found
  }
}

/// Decides layer after layer, and keeps what did not agree.
struct CacheLayerResolver {
  let config: ModelConfig
  /// Whether any layer's projections were found. Where none were, their absence says nothing.
  let hasProjections: Bool
  private(set) var disagreements: [CacheGeometry.Disagreement] = []
  /// Where in `disagreements` the same words are already.
  private var places: [String: Int] = [:]
  // Looked up once: a configuration may be long, and claim many layers.
  private let configuredHeads: CacheHeads
  private let queryHeads: Int?
  private let latentWidth: Int?
  private let rotaryWidth: Int

  init(config: ModelConfig, hasProjections: Bool) {
    self.config = config
    self.hasProjections = hasProjections
    configuredHeads = CacheHeads(config)
    queryHeads = config.headCount
    latentWidth = config.latentWidth
    rotaryWidth = config.latentRotaryWidth ?? 0
  }

  mutating func report(_ configured: String, _ found: String, _ layer: Int) {
    let words = configured + "\n" + found
    if let place = places[words] {
      disagreements[place].layers.append(layer)
    } else {
      places[words] = disagreements.count
      disagreements.append(.init(configured: configured, found: found, layers: [layer]))
    }
  }

  mutating func layer(
    _ index: Int, _ projections: CacheGeometry.Projections?
  ) throws(CacheGeometryError) -> CacheGeometry.Layer {
    var window: Int?
    switch config.attention(ofLayer: index) {
    case LayerAttention.none?: return .none
    case .linear: return .constantState
    case .stateSpace:
      guard projections != nil else { return .constantState }
      report("a state of constant size", "a key or value projection", index)
    case .window(let tokens): window = tokens
    case .full: break
    case nil: report("a kind of layer that is not known here", "nothing to the contrary", index)
    }
    if projections == nil, hasProjections {
      report("attention", "no key or value projection", index)
    }
    if let latent = try latent(index, projections) { return latent }
    return try heads(index, projections, window: window)
  }

  private mutating func latent(
    _ index: Int, _ projections: CacheGeometry.Projections?
  ) throws(CacheGeometryError) -> CacheGeometry.Layer? {
    guard let rows = projections?.latent else {
      guard let width = latentWidth else { return nil }
      if projections != nil {
        report("a latent of \(width)", "keys and values of heads", index)
        return nil
      }
      return .latent(
        width: try believed(width, "kv_lora_rank"),
        rotaryWidth: try believed(rotaryWidth, "qk_rope_head_dim"))
    }
    if let width = latentWidth, width > rows || width + rotaryWidth != rows {
      report("a latent of \(width) and a rotary key of \(rotaryWidth)", "\(rows) together", index)
    }
    let rotaryRows = rotaryWidth < rows ? rotaryWidth : 0
    return .latent(
      width: try believed(rows - rotaryRows, "the width of a latent"),
      rotaryWidth: try believed(rotaryRows, "qk_rope_head_dim"))
  }

  private mutating func heads(
    _ index: Int, _ projections: CacheGeometry.Projections?, window: Int?
  ) throws(CacheGeometryError) -> CacheGeometry.Layer {
    var found = configuredHeads
    if let projections {
      found.believe(projections, queryHeads: queryHeads)
      if !configuredHeads.agrees(with: found) || !found.explains(projections, queryHeads) {
        report(configuredHeads.description, found.shown(projections, queryHeads), index)
      }
    }
    guard let count = found.count, let key = found.key, let value = found.value else {
      throw .unknownHeads(layer: index)
    }
    return .heads(
      count: try believed(count, "the number of key/value heads"),
      keyWidth: try believed(key, "the width of a key"),
      valueWidth: try believed(value, "the width of a value"), window: window)
  }

  private func believed(_ value: Int, _ fact: String) throws(CacheGeometryError) -> Int {
    guard value <= CacheGeometry.largestCount else {
      throw .unbelievable(fact: fact, value: value)
    }
    return value
  }
}
