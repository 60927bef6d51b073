import Formats
import Model

extension ForwardModel {
  /// Holds every tensor that will be read against its shape by the description, and looks for tensors of
  /// layers that will not be.
  ///
  /// - Throws: `ForwardError`.
  func checkTensors() throws {
    var check = TensorCheck(model: self)
    try check.embedding(description.embedding)
    try check.head(description.head)
    if let norm = description.finalNorm { try check.norm(norm) }
    for layer in description.layers { try check.layer(layer) }
    try check.unused()
  }
}

private struct TensorCheck {
  let model: ForwardModel
  private var used: Set<String> = []

  init(model: ForwardModel) { self.model = model }

  private mutating func tensor(_ name: String, _ expected: [Int]) throws {
    let name = model.stored(name)
    guard let shape = model.weights.shape(of: name) else {
      throw ForwardError.missingTensor(name, modelType: model.description.modelType)
    }
    guard shape == expected else {
      throw ForwardError.wrongShape(tensor: name, shape: shape, expected: expected)
    }
    used.insert(name)
  }

  private mutating func linear(_ linear: LinearDescription) throws {
    try tensor(linear.weight, linear.weightShape)
    if let bias = linear.bias { try tensor(bias, linear.biasShape) }
  }

  mutating func norm(_ norm: NormDescription) throws {
    for name in norm.weights + norm.biases { try tensor(name, norm.shape) }
  }

  mutating func embedding(_ embedding: EmbeddingDescription) throws {
    try tensor(model.embedding, [model.description.vocabularySize, embedding.width])
    if let projection = embedding.projection { try linear(projection) }
    if let norm = embedding.norm { try self.norm(norm) }
    if let positions = embedding.positions {
      try tensor(positions.weight, [positions.rows, model.description.hiddenSize])
    }
  }

  mutating func head(_ head: HeadDescription) throws {
    try tensor(model.head, [model.description.vocabularySize, head.width])
    if let projection = head.projection { try linear(projection) }
    if let bias = head.bias { try tensor(bias, [model.description.vocabularySize]) }
  }

  mutating func layer(_ layer: LayerDescription) throws {
    let norms = layer.norms
    for norm in [
      norms.preMixer, norms.postMixer, norms.afterMixer, norms.preFeedForward,
      norms.postFeedForward, norms.afterFeedForward,
    ] {
      if let norm { try self.norm(norm) }
    }
    switch layer.mixer {
    case .attention(let attention): try self.attention(attention)
    case .latentAttention(let attention): try latentAttention(attention)
    case .mamba(let mamba):
      for linear in [mamba.input, mamba.parameters, mamba.step, mamba.output] {
        try self.linear(linear)
      }
      try convolution(mamba.convolution)
      try tensor(mamba.logDecay, [mamba.channels, mamba.stateSize])
      try tensor(mamba.skip, [mamba.channels])
    case .mamba2(let mamba):
      for linear in [mamba.input, mamba.output] { try self.linear(linear) }
      try convolution(mamba.convolution)
      try norm(mamba.norm)
      for name in [mamba.logDecay, mamba.skip, mamba.stepBias] {
        try tensor(name, [mamba.headCount])
      }
    }
    switch layer.feedForward {
    case .plain(let plain):
      try linear(plain.up)
      try linear(plain.down)
    case .gated(let gated): try self.gated(gated)
    case .mixture(let mixture): try self.mixture(mixture)
    case nil: break
    }
  }

  private mutating func attention(_ attention: AttentionDescription) throws {
    switch attention.projection {
    case .separate(let query, let key, let value):
      for linear in [query, key, value] { try self.linear(linear) }
    case .fused(let linear, _): try self.linear(linear)
    }
    try linear(attention.output)
    if let norm = attention.queryNorm { try self.norm(norm) }
    if let norm = attention.keyNorm { try self.norm(norm) }
    if let sinks = attention.scoring.sinks { try tensor(sinks, [attention.heads.count]) }
  }

  private mutating func latentAttention(_ attention: LatentAttentionDescription) throws {
    if let latent = attention.queryLatent {
      try linear(latent.down)
      try norm(latent.norm)
    }
    for linear in [
      attention.query, attention.keyValueDown, attention.keyValueUp, attention.output,
    ] {
      try self.linear(linear)
    }
    try norm(attention.latentNorm)
  }

  private mutating func convolution(_ convolution: ConvolutionDescription) throws {
    try tensor(convolution.weight, [convolution.channels, 1, convolution.taps])
    if let bias = convolution.bias { try tensor(bias, [convolution.channels]) }
  }

  private mutating func gated(_ gated: GatedFeedForward) throws {
    switch gated.projection {
    case .separate(let gate, let up):
      try linear(gate)
      try linear(up)
    case .fused(let linear, _): try self.linear(linear)
    }
    try linear(gated.down)
  }

  private mutating func mixture(_ mixture: MixtureDescription) throws {
    try linear(mixture.router)
    if case .sigmoid(let bias?, _, _, _, _) = mixture.routing {
      try tensor(bias, [mixture.experts.count])
    }
    for expert in 0..<mixture.experts.count { try gated(mixture.experts.expert(expert)) }
    if let shared = mixture.shared {
      try gated(shared.expert)
      if let gate = shared.gate { try linear(gate) }
    }
  }

  /// A bias that the configuration does not announce would otherwise be left out without a word. Layers
  /// behind the last are not looked at: some files have more, for other uses.
  func unused() throws {
    let prefix = model.stored(model.description.layerPrefix)
    for name in model.weights.names.sorted() where !used.contains(name) {
      guard name.hasPrefix(prefix),
        let layer = Int(name.dropFirst(prefix.count).prefix { $0 != "." }),
        layer < model.description.layers.count,
        !DecoderDescription.isDerived(name), !DecoderDescription.isScale(name)
      else { continue }
      throw ForwardError.unusedTensor(name, modelType: model.description.modelType)
    }
  }
}
