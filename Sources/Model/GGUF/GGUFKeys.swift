import Formats
import Foundation

/// The keys that llama.cpp reads of a model, and the tensors that stand for rotary scaling.
struct GGUFKeys {
  private let architecture: GGUFArchitecture
  private let description: DecoderDescription
  private(set) var entries: [(key: String, value: GGUFValue)] = []
  private(set) var derived: [GGUFModel.Derived] = []

  /// Of models whose configuration does not say it: as long as BLOOM was trained with; of models without
  /// positions any number does.
  private static let defaultContext = 2048
  private static let unlimitedContext = 1 << 20

  init(_ architecture: GGUFArchitecture, _ description: DecoderDescription) {
    self.architecture = architecture
    self.description = description
  }

  private func has(_ feature: GGUFArchitecture.Feature) -> Bool {
    architecture.features.contains(feature)
  }

  private mutating func add(_ name: String, _ value: GGUFValue) {
    entries.append((architecture.name + "." + name, value))
  }

  /// Sizes of descriptions are small.
  private mutating func add(_ name: String, _ number: Int?) {
    if let number { add(name, .uint32(UInt32(number))) }
  }

  private mutating func add(_ name: String, _ number: Float?) {
    if let number { add(name, .float32(number)) }
  }

  /// - Throws: `GGUFModelError.notExpressible`.
  mutating func addAll() throws(GGUFModelError) {
    add("vocab_size", description.vocabularySize)
    add("block_count", description.layers.count)
    add("embedding_length", description.hiddenSize)
    addEpsilon()
    guard let first = description.layers.first else { return }
    switch first.mixer {
    case .attention(let attention): add(attention)
    case .latentAttention(let attention): add(attention)
    case .mamba(let mamba):
      add("context_length", description.contextLength ?? Self.unlimitedContext)
      addStateSpace(mamba.convolution, inner: mamba.channels, state: mamba.stateSize)
      add("ssm.time_step_rank", mamba.stepRank)
    case .mamba2(let mamba):
      add("context_length", description.contextLength ?? Self.unlimitedContext)
      addStateSpace(mamba.convolution, inner: mamba.channels, state: mamba.stateSize)
      add("ssm.time_step_rank", mamba.headCount)
      add("ssm.group_count", mamba.groupCount)
    }
    addFeedForward()
    addScales(first)
    try addRotary()
  }

  private mutating func addEpsilon() {
    guard let norm = description.finalNorm else { return }
    let name = norm.kind == .layer ? "layer_norm_epsilon" : "layer_norm_rms_epsilon"
    add("attention." + name, norm.epsilon)
  }

  private mutating func addStateSpace(
    _ convolution: ConvolutionDescription, inner: Int, state: Int
  ) {
    add("ssm.conv_kernel", convolution.taps)
    add("ssm.inner_size", inner)
    add("ssm.state_size", state)
  }

  // MARK: Attention

  private mutating func add(_ attention: AttentionDescription) {
    let heads = attention.heads
    add("context_length", description.contextLength ?? Self.defaultContext)
    add("attention.head_count", heads.count)
    add("attention.head_count_kv", heads.keyValueCount)
    add("attention.key_length", heads.width)
    add("attention.value_length", heads.valueWidth)
    addWindows()
    if has(.attentionCap) { add("attn_logit_softcapping", attention.scoring.cap) }
    if has(.attentionScale) { add("attention.scale", attention.scoring.scale) }
  }

  private mutating func addWindows() {
    let windows = description.attentions.map(\.scoring.window)
    if has(.evenWindows) || has(.windowPattern) {
      add("attention.sliding_window", windows.compactMap(\.self).min() ?? 0)
    }
    if has(.windowPattern) {
      add(
        "attention.sliding_window_pattern", .array(.bool(windows.map { $0 != nil })))
    }
  }

  /// Latent attention as one wide head of keys and values.
  private mutating func add(_ attention: LatentAttentionDescription) {
    let heads = attention.heads
    add("context_length", description.contextLength ?? Self.defaultContext)
    add("attention.head_count", heads.count)
    add("attention.head_count_kv", 1)
    add("attention.q_lora_rank", attention.queryLatent?.down.outputs ?? 0)
    add("attention.kv_lora_rank", attention.latentWidth)
    add("attention.key_length", attention.latentWidth + attention.rotary.width)
    add("attention.value_length", attention.latentWidth)
    add("attention.key_length_mla", heads.width)
    add("attention.value_length_mla", heads.valueWidth)
  }

  // MARK: Feed-forward parts

  private mutating func addFeedForward() {
    for layer in description.layers {
      switch layer.feedForward {
      case .plain(let plain):
        return addFeedForward(plain.up.outputs)
      case .gated(let gated): return addFeedForward(gated.down.inputs)
      case .mixture, nil: continue
      }
    }
    // Mixtral's experts are counted as the layer's own.
    addFeedForward(
      architecture.name == "llama" ? description.layers[0].mixture?.experts.width : nil)
  }

  private mutating func addFeedForward(_ width: Int?) {
    add("feed_forward_length", width)
    guard let mixture = description.layers.lazy.compactMap(\.mixture).first else { return }
    let experts = mixture.experts
    add("expert_count", experts.count)
    add("expert_used_count", mixture.chosenCount)
    add("expert_feed_forward_length", experts.width)
    let shared = mixture.shared?.expert.down.inputs
    if architecture.routing != .keyed {
      add("expert_shared_feed_forward_length", shared)
    } else if case .sigmoid(_, let groups, let chosen, let renormalizes, let scale) = mixture
      .routing
    {
      add("expert_shared_count", (shared ?? 0) / experts.width)
      add("leading_dense_block_count", description.layers.firstIndex { $0.mixture != nil })
      add("expert_weights_scale", scale)
      add("expert_weights_norm", .bool(renormalizes))
      // By sigmoids.
      add("expert_gating_func", 2)
      if groups > 1 {
        add("expert_group_count", groups)
        add("expert_group_used_count", chosen)
      }
    }
  }

  private mutating func addScales(_ first: LayerDescription) {
    if has(.parallel), has(.sequential) {
      add("use_parallel_residual", .bool(first.arrangement == .parallel))
    }
    if has(.embeddingScale) { add("embedding_scale", description.embedding.scale) }
    if has(.residualScale) { add("residual_scale", first.residualScale) }
    if has(.logitScale) { add("logit_scale", description.head.scale) }
    if has(.logitDivisor) { add("logit_scale", 1 / description.head.scale) }
    if has(.logitCap) { add("final_logit_softcapping", description.head.cap) }
  }

  // MARK: Rotary positions

  private mutating func addRotary() throws(GGUFModelError) {
    let rotaries = description.rotaries
    guard let first = rotaries.first else { return }
    var global = first
    if has(.windowBase) {
      let attentions = description.attentions
      let local = attentions.first { $0.scoring.window != nil }?.rotary
      global = attentions.first { $0.scoring.window == nil }?.rotary ?? first
      add("rope.freq_base_swa", local.map { Float($0.base) })
      guard
        attentions.allSatisfy({ $0.rotary == ($0.scoring.window == nil ? global : local) }),
        local.map({ $0.scaling == .none }) ?? true
      else { throw unlike }
    } else if !rotaries.allSatisfy({ $0 == first }) {
      throw unlike
    }
    add("rope.dimension_count", global.width)
    add("rope.freq_base", Float(global.base))
    add(global)
  }

  private var unlike: GGUFModelError {
    .notExpressible(
      "rotary positions that differ between layers", modelType: description.modelType,
      architecture: architecture.name)
  }

  private mutating func add(_ rotary: RotaryDescription) {
    switch rotary.scaling {
    case .none, .dynamic: break
    case .linear(let factor):
      add("rope.scaling.type", .string("linear"))
      add("rope.scaling.factor", Float(factor))
    case .llama3: addDivisors(rotary)
    case .yarn(let yarn):
      guard !has(.frequencyDivisors) || isPlain(yarn) else {
        addDivisors(rotary)
        return add("rope.scaling.attn_factor", Float(yarn.magnitude))
      }
      add("rope.scaling.type", .string("yarn"))
      add("rope.scaling.factor", Float(yarn.factor))
      add("rope.scaling.original_context_length", yarn.context)
      // llama.cpp multiplies with its own magnitude.
      let own = RotaryScaling.Yarn.magnitude(factor: yarn.factor, weight: 1)
      if architecture.routing == .keyed {
        addMultiplier(yarn)
      } else {
        add("rope.scaling.attn_factor", Float(yarn.magnitude / own))
      }
    case .longRope(let rope):
      add("rope.scaling.original_context_length", rope.context)
      add("rope.scaling.attn_factor", Float(rope.magnitude))
      derived.append(.init(name: "rope_factors_long.weight", values: rope.long.map { Float($0) }))
      derived.append(.init(name: "rope_factors_short.weight", values: rope.short.map { Float($0) }))
    }
  }

  /// Whether it is what llama.cpp makes of the type `yarn`.
  private func isPlain(_ yarn: RotaryScaling.Yarn) -> Bool {
    yarn.fastTurns == 32 && yarn.slowTurns == 1 && yarn.truncates
  }

  /// What latent attention multiplies its scores with, as far as the factor has to do with it:
  /// `1 + weight ln(factor)`, squared.
  private mutating func addMultiplier(_ yarn: RotaryScaling.Yarn) {
    guard case .latentAttention(let attention) = description.layers[0].mixer, yarn.factor > 1 else {
      return
    }
    let squared =
      Double(attention.scoring.scale) * Double(attention.heads.width).squareRoot()
    add("rope.scaling.yarn_log_multiplier", Float((squared.squareRoot() - 1) / log(yarn.factor)))
    if yarn.magnitude != 1 { add("rope.scaling.attn_factor", Float(yarn.magnitude)) }
  }

  /// What each frequency is divided by.
  private mutating func addDivisors(_ rotary: RotaryDescription) {
    let plain = RotaryDescription(
      width: rotary.width, pairing: rotary.pairing, base: rotary.base, scaling: .none)
    derived.append(
      .init(
        name: "rope_freqs.weight",
        values: zip(plain.frequencies(windowLength: 0), rotary.frequencies(windowLength: 0)).map {
          Float($0 / $1)
        }))
  }
}
