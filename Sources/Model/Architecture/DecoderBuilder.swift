import Formats

/// Makes a description of a configuration and its family's row.
struct DecoderBuilder {
  var config: ConfigReader
  var family: ArchitectureFamily
  let hiddenSize: Int
  let vocabularySize: Int
  let contextLength: Int?
  let epsilon: Float
  let normWeights: Bool
  let normBiases: Bool

  static let largestLayerCount = 1024
  private static let largestVocabulary = 1 << 26
  private static let largestContext = 1 << 30

  /// - Throws: `ArchitectureError`.
  init(_ document: JSONValue) throws(ArchitectureError) {
    guard let modelType = document["model_type"]?.stringValue else { throw .noModelType }
    var family = try ArchitectureFamily.row(of: modelType)
    var config = ConfigReader(document, modelType: modelType)
    for variant in family.variants where config.meets(variant) { variant.change(&family) }
    for (key, values) in family.fixed.sorted(by: { $0.key < $1.key }) {
      guard case .value(let value, let key) = config.find([key]) else { continue }
      guard values.contains(value) else {
        let list = values.map(\.compactText).joined(separator: " or ")
        throw config.error(key, value, expected: list)
      }
    }
    config.ignore(family.ignored)
    hiddenSize = try config.size(family.hiddenSize)
    vocabularySize = try config.size(family.vocabularySize, limit: Self.largestVocabulary)
    contextLength = try config.sizeIfPresent(family.contextLength, limit: Self.largestContext)
    epsilon = Float(try config.number(family.epsilon.keys, absent: family.epsilon.absent))
    guard epsilon >= 0 else {
      throw .badValue(
        key: family.epsilon.keys.first ?? "", value: "\(epsilon)", expected: "no negative number")
    }
    normWeights = try config.flag(family.normWeights)
    let hasBiases = try config.flag(family.normBiases)
    normBiases = hasBiases && family.norm == .layer
    self.family = family
    self.config = config
  }

  mutating func description() throws(ArchitectureError) -> DecoderDescription {
    let count = try config.size(family.layerCount, limit: Self.largestLayerCount)
    let embedding = try embedding()
    let head = try head(width: embedding.width)
    var layers: [LayerDescription] = []
    for index in 0..<count { layers.append(try layer(index, of: count)) }
    let description = DecoderDescription(
      modelType: family.modelType, vocabularySize: vocabularySize, hiddenSize: hiddenSize,
      contextLength: contextLength, embedding: embedding, layers: layers,
      layerPrefix: family.layers,
      finalNorm: family.finalNorm.map { norm($0) }, head: head,
      optionalPrefix: family.optionalPrefix)
    try config.checkUnderstood(harmless: HarmlessKeys.all, neutral: HarmlessKeys.neutral)
    return description
  }

  private mutating func embedding() throws(ArchitectureError) -> EmbeddingDescription {
    let projection = family.embeddingProjection
    let width =
      try projection.map { (projection) throws(ArchitectureError) in
        try config.size([projection.widthKey], absent: hiddenSize)
      } ?? hiddenSize
    let scale: Double =
      switch family.embeddingScale {
      case .one: 1
      case .rootOfHiddenSize: Double(hiddenSize).squareRoot()
      case .key(let key): try config.number([key], absent: 1)
      }
    var positions: EmbeddingDescription.LearnedPositions?
    if case .learned(let name, let offset) = family.positions {
      guard let contextLength else { throw config.missing(family.contextLength) }
      positions = .init(weight: name + ".weight", rows: contextLength + offset, offset: offset)
    }
    return EmbeddingDescription(
      weights: family.embedding.map { $0 + ".weight" }, width: width, scale: Float(scale),
      projection: width == hiddenSize
        ? nil
        : projection.map {
          LinearDescription(module: $0.input, inputs: width, outputs: hiddenSize)
        },
      positions: positions, norm: family.embeddingNorm.map { norm($0) })
  }

  private mutating func head(width: Int) throws(ArchitectureError) -> HeadDescription {
    let scale: Double =
      switch family.logitScale {
      case .one: 1
      case .times(let fact): try config.number(fact.keys, absent: fact.absent)
      case .dividedBy(let fact): 1 / (try config.positive(fact.keys, absent: fact.absent))
      }
    return HeadDescription(
      projection: width == hiddenSize
        ? nil
        : family.embeddingProjection.map {
          LinearDescription(module: $0.output, inputs: hiddenSize, outputs: width)
        },
      module: family.head[0], weights: family.head.map { $0 + ".weight" },
      bias: try config.flag(family.headBias) ? family.head[0] + ".bias" : nil,
      mayBeTied: try config.flag("tie_word_embeddings", absent: family.isTied), width: width,
      scale: Float(scale), cap: try cap(family.logitCap))
  }

  /// Nil where there is none; so null says, and 0.
  mutating func cap(_ fact: ArchitectureFamily.Fact<Double>?) throws(ArchitectureError) -> Float? {
    guard let fact else { return nil }
    guard case .absent = config.find(fact.keys) else {
      let cap = try config.numberIfPresent(fact.keys)
      guard let cap, cap != 0 else { return nil }
      return Float(try config.positive(fact.keys))
    }
    return fact.absent.map { Float($0) }
  }

  // MARK: Layers

  private mutating func layer(
    _ index: Int, of count: Int
  ) throws(ArchitectureError) -> LayerDescription {
    let prefix = "\(family.layers)\(index)."
    let names = family.norms
    func norm(_ name: String?) -> NormDescription? { name.map { self.norm(prefix + $0) } }
    let mixer: LayerDescription.Mixer =
      switch family.mixer {
      case .attention: .attention(try attention(prefix, layer: index, of: count))
      case .latentAttention: .latentAttention(try latentAttention(prefix))
      case .mamba: .mamba(try mamba(prefix + "mixer."))
      case .mamba2: .mamba2(try mamba2(prefix + "mixer."))
      }
    return LayerDescription(
      index: index, arrangement: family.arrangement,
      norms: .init(
        preMixer: norm(names.preMixer), postMixer: norm(names.postMixer),
        afterMixer: norm(names.afterMixer), preFeedForward: norm(names.preFeedForward),
        postFeedForward: norm(names.postFeedForward),
        afterFeedForward: norm(names.afterFeedForward)),
      mixer: mixer, feedForward: try feedForward(prefix, layer: index, of: count),
      residualScale: Float(
        try config.number(family.residualScale.keys, absent: family.residualScale.absent)),
      addsToNormalized: family.addsToNormalized)
  }

  /// A norm of all features of the hidden states.
  func norm(_ module: String) -> NormDescription {
    norm(module, features: hiddenSize, epsilon: epsilon)
  }

  func norm(
    _ module: String, features: Int, groupSize: Int? = nil, epsilon: Float
  ) -> NormDescription {
    NormDescription(
      kind: family.norm, module: module, weights: normWeights ? [module + ".weight"] : [],
      biases: normBiases ? [module + ".bias"] : [], shape: [features], epsilon: epsilon,
      features: features, groupSize: groupSize ?? features)
  }

  func linear(
    _ module: String, bias: Bool, _ inputs: Int, _ outputs: Int
  ) -> LinearDescription {
    LinearDescription(
      module: module, bias: bias ? module + ".bias" : nil, inputs: inputs, outputs: outputs,
      order: family.order)
  }
}

extension ConfigReader {
  /// Whether a configuration has all the values that a change of a row is for.
  fileprivate mutating func meets(_ variant: ArchitectureFamily.Variant) -> Bool {
    var isMet = true
    for condition in variant.conditions {
      let value =
        if case .value(let value, _) = find([condition.key]) { value } else { condition.absent }
      isMet = isMet && value == condition.value
    }
    return isMet
  }
}

extension DecoderDescription {
  /// - Parameter document: config.json.
  /// - Throws: `ArchitectureError`: of an unknown family, for keys that are missing, absurd, or not
  ///   understood.
  package init(config document: JSONValue) throws(ArchitectureError) {
    var builder = try DecoderBuilder(document)
    self = try builder.description()
  }
}
