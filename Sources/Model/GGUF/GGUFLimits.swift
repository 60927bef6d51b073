import Foundation

/// What an architecture of llama.cpp cannot express of a model.
struct GGUFLimits {
  private let architecture: GGUFArchitecture
  private let description: DecoderDescription

  init(_ architecture: GGUFArchitecture, _ description: DecoderDescription) {
    self.architecture = architecture
    self.description = description
  }

  private func has(_ feature: GGUFArchitecture.Feature) -> Bool {
    architecture.features.contains(feature)
  }

  private func refuse(_ isThere: Bool, _ what: @autoclosure () -> String) throws(GGUFModelError) {
    guard isThere else { return }
    throw .notExpressible(
      what(), modelType: description.modelType, architecture: architecture.name)
  }

  /// - Throws: `GGUFModelError.notExpressible` for what changes every text.
  func check() throws(GGUFModelError) {
    try checkEmbedding()
    try checkHead()
    for layer in description.layers { try check(layer) }
    try refuse(
      Set(description.norms.map(\.epsilon)).count > 1, "norms with different epsilons")
    try refuse(
      Set(description.attentions.map(\.heads)).count > 1, "layers with different heads")
  }

  private func checkEmbedding() throws(GGUFModelError) {
    let embedding = description.embedding
    try refuse(embedding.projection != nil, "a projection of the embedding")
    try refuse(embedding.positions != nil && !has(.learnedPositions), "learned positions")
    try refuse(
      (embedding.positions?.offset ?? 0) != 0, "positions that begin at another row than 0")
    try refuse(embedding.norm != nil && !has(.embeddingNorm), "a norm of the embedding")
    let builtIn =
      has(.rootEmbeddingScale) ? Float(Double(description.hiddenSize).squareRoot()) : 1
    try refuse(
      embedding.scale != builtIn && !has(.embeddingScale),
      "an embedding that is multiplied with \(embedding.scale)")
  }

  private func checkHead() throws(GGUFModelError) {
    let head = description.head
    try refuse(head.projection != nil, "a projection before the head")
    try refuse(head.bias != nil && !has(.headBias), "a bias of the head")
    try refuse(
      head.scale != 1 && !has(.logitScale) && !has(.logitDivisor),
      "logits that are multiplied with \(head.scale)")
    try refuse(head.cap != nil && !has(.logitCap), "a cap on logits")
    try refuse(description.finalNorm == nil, "hidden states that are not normalized in the end")
  }

  private func check(_ layer: LayerDescription) throws(GGUFModelError) {
    try refuse(
      !has(layer.arrangement == .parallel ? .parallel : .sequential),
      layer.arrangement == .parallel
        ? "a feed-forward part beside the attention" : "a feed-forward part behind the attention")
    try refuse(layer.addsToNormalized, "residuals that are added to normalized states")
    try refuse(
      layer.residualScale != 1 && !has(.residualScale),
      "residuals that are multiplied with \(layer.residualScale)")
    try refuse(
      layer.norms.afterMixer != nil || layer.norms.afterFeedForward != nil,
      "norms behind the sum of residuals")
    switch layer.mixer {
    case .attention(let attention): try check(attention, layer: layer.index)
    case .latentAttention(let attention): try check(attention)
    case .mamba(let mamba):
      try refuse(
        mamba.channels != 2 * description.hiddenSize,
        "an inner width that is not twice the hidden size")
    case .mamba2(let mamba):
      try refuse(
        mamba.leastStep > 0 || mamba.largestStep < .infinity, "steps with limits")
    }
    switch layer.feedForward {
    case .plain(let plain): try check(plain.activation)
    case .gated(let gated): try check(gated.gating)
    case .mixture(let mixture): try check(mixture)
    case nil: break
    }
  }

  private func check(_ attention: AttentionDescription, layer: Int) throws(GGUFModelError) {
    let heads = attention.heads
    try refuse(
      architecture.isSquare && heads.count * heads.width != description.hiddenSize,
      "\(heads.count) heads of \(heads.width) in \(description.hiddenSize) hidden features")
    try refuse(attention.queryNorm != nil && !has(.queryKeyNorm), "norms of queries and keys")
    try refuse(!(attention.queryNorm?.biases ?? []).isEmpty, "biases of the norms of queries")
    try refuse(
      attention.bias.map { $0.form != .exact || !has(.linearBias) } ?? has(.linearBias),
      "these linear biases of attention")
    try refuse(attention.scoring.sinks != nil && !has(.sinks), "attention sinks")
    try refuse(attention.scoring.cap != nil && !has(.attentionCap), "a cap on attention scores")
    try refuse(
      attention.scoring.scale != Float(1 / Double(heads.width).squareRoot())
        && !has(.attentionScale) && !has(.foldedAttentionScale),
      "attention scores that are multiplied with \(attention.scoring.scale)")
    try refuse(
      has(.evenWindows) && layer % 2 == 1 && attention.scoring.window != nil,
      "a window of layer \(layer)")
    let isUnrotated = has(.everyFourthUnrotated) && layer % 4 == 3
    try refuse(
      (attention.rotary == nil) != (architecture.rotation == nil || isUnrotated),
      attention.rotary == nil
        ? "layer \(layer) without rotary positions" : "rotary positions of layer \(layer)")
    guard let rotary = attention.rotary else { return }
    try check(rotary, headWidth: heads.width, scored: attention.scoring.window != nil)
  }

  private func check(_ attention: LatentAttentionDescription) throws(GGUFModelError) {
    try refuse(
      attention.rotary.pairing != .adjacentToHalves, "rotary positions that are not interleaved")
    try check(attention.rotary, headWidth: attention.rotary.width, scored: false)
  }

  private func check(
    _ rotary: RotaryDescription, headWidth: Int, scored hasWindow: Bool
  ) throws(GGUFModelError) {
    switch rotary.pairing {
    case .halves:
      try refuse(
        architecture.rotation == .adjacent && rotary.width != headWidth,
        "rotary positions of \(rotary.width) of \(headWidth) features")
    case .adjacent, .adjacentToHalves:
      try refuse(architecture.rotation != .adjacent, "interleaved rotary positions")
    }
    switch rotary.scaling {
    case .none, .linear, .dynamic: break
    case .llama3: try refuse(!has(.frequencyDivisors), "rotary scaling of type llama3")
    case .longRope: try refuse(!has(.longFrequencyDivisors), "rotary scaling of type longrope")
    case .yarn(let yarn):
      try refuse(
        (yarn.fastTurns != 32 || yarn.slowTurns != 1) && !has(.frequencyDivisors),
        "YaRN from \(yarn.slowTurns) to \(yarn.fastTurns) turns")
    }
  }

  private func check(_ activation: Activation) throws(GGUFModelError) {
    try refuse(
      !architecture.activations.contains(activation), "the activation \(activation)")
  }

  private func check(_ gating: GatedFeedForward.Gating) throws(GGUFModelError) {
    switch gating {
    case .activated(let activation): try check(activation)
    case .clamped(let limit, let alpha):
      try refuse(limit != 7 || alpha != 1.702, "gates with limit \(limit) and alpha \(alpha)")
    }
  }

  private func check(_ mixture: MixtureDescription) throws(GGUFModelError) {
    try check(mixture.experts.gating)
    switch mixture.routing {
    case .softmax(let renormalizes):
      try refuse(
        renormalizes != (architecture.routing == .renormalized),
        renormalizes
          ? "experts' weights divided by their sum"
          : "experts' weights that are not divided by their sum"
      )
    case .softmaxOfChosen: break
    case .sigmoid: try refuse(architecture.routing != .keyed, "experts chosen by sigmoids")
    }
    try refuse(
      architecture.routing != .keyed && description.layers.contains { $0.mixture == nil },
      "dense layers among those with experts")
  }

  /// What is computed otherwise in long texts only, or by a little.
  var warnings: [String] {
    var warnings: [String] = []
    let context = description.contextLength ?? Int.max
    let windows = description.attentions.compactMap(\.scoring.window)
    if let window = windows.min(), window < context, !has(.evenWindows), !has(.windowPattern) {
      warnings.append(
        "llama.cpp's '\(architecture.name)' has no window of \(window) tokens: longer texts are"
          + " computed as if there were none")
    }
    for case .latentAttention(let attention) in description.layers.prefix(1).map(\.mixer)
    where attention.latentNorm.epsilon != description.finalNorm?.epsilon {
      warnings.append(
        "llama.cpp has one epsilon for all norms, and those of latent vectors have"
          + " \(attention.latentNorm.epsilon) here: they differ a little")
    }
    for case .dynamic(_, let context) in description.rotaries.map(\.scaling).prefix(1) {
      warnings.append(
        "llama.cpp has no dynamic rotary scaling: texts of more than \(context) tokens are computed"
          + " without it")
    }
    for case .yarn(let yarn) in description.rotaries.map(\.scaling).prefix(1)
    where !yarn.truncates && !has(.frequencyDivisors) {
      warnings.append(
        "llama.cpp rounds the limits of YaRN's ramp, and this model does not (truncate is false):"
          + " its angles differ a little")
    }
    return warnings
  }
}

extension DecoderDescription {
  var attentions: [AttentionDescription] {
    layers.compactMap { if case .attention(let attention) = $0.mixer { attention } else { nil } }
  }

  /// Of all layers that have them.
  var rotaries: [RotaryDescription] {
    layers.compactMap { layer in
      switch layer.mixer {
      case .attention(let attention): attention.rotary
      case .latentAttention(let attention): attention.rotary
      case .mamba, .mamba2: nil
      }
    }
  }

  /// Every norm but those of latent vectors.
  var norms: [NormDescription] {
    [embedding.norm, finalNorm].compactMap(\.self)
      + layers.flatMap { layer -> [NormDescription] in
        let norms = layer.norms
        var all = [
          norms.preMixer, norms.postMixer, norms.preFeedForward, norms.postFeedForward,
        ]
        switch layer.mixer {
        case .attention(let attention): all += [attention.queryNorm, attention.keyNorm]
        case .mamba, .latentAttention: break
        case .mamba2(let mamba): all.append(mamba.norm)
        }
        return all.compactMap(\.self)
      }
  }
}

extension LayerDescription {
  var mixture: MixtureDescription? {
    if case .mixture(let mixture) = feedForward { mixture } else { nil }
  }
}
