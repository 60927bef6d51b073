import Formats

// A new family that is like Llama is one row here.

extension ArchitectureFamily {
  static let all: [ArchitectureFamily] =
    llamaLike + gemmas + mixtures + layerNormed + fused + recurrent

  /// - Throws: `ArchitectureError.unknownModelType`.
  static func row(of modelType: String) throws(ArchitectureError) -> ArchitectureFamily {
    guard let row = all.first(where: { $0.modelType == modelType }) else {
      throw .unknownModelType(modelType)
    }
    return row
  }

  private static let attentionBias = Flag.key("attention_bias", absent: false)
  private static let headNorm = QueryKeyNorm(
    form: .head, query: "self_attn.q_norm", key: "self_attn.k_norm")

  private static let llamaLike: [ArchitectureFamily] = [
    .init("llama") { $0.hasBiases(attention: attentionBias) },
    .init("mistral") {
      ($0.keyValueHeads, $0.window) = (.listed(["num_key_value_heads"], absent: 8), .everyLayer)
      $0.absentWindow = 4096
    },
    .init("qwen2") {
      $0.projectionBias = .always
      ($0.window, $0.absentWindow, $0.followsLayerTypes) = (.lateLayersIfEnabled, 4096, true)
    },
    .init("qwen3") {
      $0.headWidth = Fact(["head_dim"], absent: 128)
      ($0.projectionBias, $0.outputBias) = (attentionBias, attentionBias)
      $0.queryKeyNorm = headNorm
      ($0.window, $0.absentWindow, $0.followsLayerTypes) = (.lateLayersIfEnabled, 4096, true)
    },
    .init("olmo2") {
      $0.epsilon = Fact(["rms_norm_eps"], absent: 1e-5)
      $0.norms = NormNames(
        postMixer: "post_attention_layernorm", postFeedForward: "post_feedforward_layernorm")
      ($0.projectionBias, $0.outputBias) = (attentionBias, attentionBias)
      $0.queryKeyNorm = QueryKeyNorm(
        form: .all, query: "self_attn.q_norm", key: "self_attn.k_norm")
    },
    .init("granite") {
      $0.hasBiases(attention: attentionBias)
      $0.embeddingScale = .key("embedding_multiplier")
      $0.residualScale = Fact(["residual_multiplier"], absent: 1)
      $0.scale = .factor(Fact(["attention_multiplier"], absent: 1))
      $0.logitScale = .dividedBy(Fact(["logits_scaling"], absent: 1))
    },
    .init("smollm3") {
      $0.hasBiases(attention: attentionBias)
      $0.keyValueHeads = .listed(["num_key_value_heads"], absent: 4)
      $0.rotary.base = Fact(["rope_theta"], absent: 2e6)
      $0.rotary.layerList = ("no_rope_layers", Fact(["no_rope_layer_interval"], absent: 4))
      ($0.window, $0.followsLayerTypes) = (.unrotatedLayersIfEnabled, true)
      $0.isTied = true
      $0.ignored = ["max_window_layers"]
    },
    .init("phi3") {
      $0.epsilon = Fact(["rms_norm_eps"], absent: 1e-5)
      $0.projection = .fused("self_attn.qkv_proj", .contiguous)
      $0.feedForward = .fusedGated("mlp.gate_up_proj", down: "mlp.down_proj")
      $0.window = .everyLayer
    },
    .init("glm") { $0.isGLM() },
    .init("glm4") {
      $0.isGLM()
      $0.norms.postMixer = "post_self_attn_layernorm"
      $0.norms.postFeedForward = "post_mlp_layernorm"
    },
  ]

  /// Llama's own biases, of all projections of the attention and of the feed-forward part.
  private mutating func hasBiases(attention: Flag) {
    (projectionBias, outputBias) = (attention, attention)
    feedForwardBias = .key("mlp_bias", absent: false)
  }

  private mutating func isGLM() {
    epsilon = Fact(["rms_norm_eps"], absent: 1.5625e-7)
    rotary.pairing = .adjacent
    rotary.fraction = Fact(["partial_rotary_factor"], absent: 0.5)
    keyValueHeads = .listed(["num_key_value_heads"], absent: 2)
    headWidth = Fact(["head_dim"], absent: 128)
    projectionBias = .key("attention_bias", absent: true)
    feedForward = .fusedGated("mlp.gate_up_proj", down: "mlp.down_proj")
  }

  private static let gemmas: [ArchitectureFamily] = [
    .init("gemma") {
      $0.isGemma(keyValueHeads: 16)
      // Its `gelu` means the form with tanh.
      $0.activation = .always("gelu_pytorch_tanh")
      $0.ignored = ["hidden_act", "hidden_activation"]
    },
    .init("gemma2") {
      $0.isLaterGemma()
      $0.attentionCap = Fact(["attn_logit_softcapping"], absent: 50)
      $0.logitCap = Fact(["final_logit_softcapping"], absent: 30)
      $0.window = .evenLayers
    },
    .init("gemma3_text") {
      $0.isLaterGemma()
      $0.queryKeyNorm = headNorm
      $0.logitCap = Fact(["final_logit_softcapping"], absent: nil)
      $0.window = .allButEach(
        Fact(["sliding_window_pattern", "_sliding_window_pattern"], absent: 6))
      $0.rotary.base = Fact(["rope_theta"], absent: 1e6)
      $0.rotary.windowBase = Fact(["rope_local_base_freq"], absent: 10_000)
      $0.ignored.insert("attn_logit_softcapping")
    },
  ]

  private mutating func isGemma(keyValueHeads count: Int) {
    norm = .rmsAboveOne
    embeddingScale = .rootOfHiddenSize
    isTied = true
    headWidth = Fact(["head_dim"], absent: 256)
    keyValueHeads = .listed(["num_key_value_heads"], absent: count)
    (projectionBias, outputBias) = (Self.attentionBias, Self.attentionBias)
  }

  private mutating func isLaterGemma() {
    isGemma(keyValueHeads: 4)
    norms = NormNames(
      preMixer: "input_layernorm", postMixer: "post_attention_layernorm",
      preFeedForward: "pre_feedforward_layernorm", postFeedForward: "post_feedforward_layernorm")
    scale = .inverseRoot(Fact(["query_pre_attn_scalar"], absent: 256))
    activation = Fact(["hidden_activation"], absent: "gelu_pytorch_tanh")
    ignored = ["hidden_act"]
    (absentWindow, followsLayerTypes) = (4096, true)
  }

  private static let experts = ExpertsDescription.Storage.separate(
    prefix: "mlp.experts.", gate: "gate_proj", up: "up_proj", down: "down_proj")

  private static let mixtures: [ArchitectureFamily] = [
    .init("mixtral") {
      $0.epsilon = Fact(["rms_norm_eps"], absent: 1e-5)
      $0.rotary.base = Fact(["rope_theta"], absent: 1e6)
      ($0.keyValueHeads, $0.window) = (.listed(["num_key_value_heads"], absent: 8), .everyLayer)
      $0.mixture = Mixture(
        router: "block_sparse_moe.gate", routing: .softmax(renormalizes: .always),
        experts: .separate(
          prefix: "block_sparse_moe.experts.", gate: "w1", up: "w3", down: "w2"),
        count: Fact(["num_local_experts"], absent: 8),
        chosen: Fact(["num_experts_per_tok"], absent: 2), width: ["intermediate_size"])
    },
    .init("qwen2_moe") {
      $0.projectionBias = .key("qkv_bias", absent: true)
      ($0.window, $0.absentWindow, $0.followsLayerTypes) = (.evenEarlyLayersIfEnabled, 4096, true)
      $0.mixture = qwenMixture(count: 60, chosen: 4)
      $0.mixture?.shared = .init(
        prefix: "mlp.shared_expert.", width: .key("shared_expert_intermediate_size"),
        gate: "mlp.shared_expert_gate")
    },
    .init("qwen3_moe") {
      $0.keyValueHeads = .listed(["num_key_value_heads"], absent: 4)
      ($0.projectionBias, $0.outputBias) = (attentionBias, attentionBias)
      $0.queryKeyNorm = headNorm
      ($0.window, $0.absentWindow) = (.everyLayerIfEnabled, 4096)
      $0.mixture = qwenMixture(count: 128, chosen: 8)
      $0.ignored = ["max_window_layers"]
    },
    .init("gpt_oss") {
      $0.epsilon = Fact(["rms_norm_eps"], absent: 1e-5)
      $0.headWidth = Fact(["head_dim"], absent: 64)
      $0.keyValueHeads = .listed(["num_key_value_heads"], absent: 8)
      let bias = Flag.key("attention_bias", absent: true)
      ($0.projectionBias, $0.outputBias) = (bias, bias)
      $0.rotary.base = Fact(["rope_theta"], absent: 150_000)
      ($0.window, $0.absentWindow, $0.followsLayerTypes) = (.evenLayers, 128, true)
      $0.sinks = "self_attn.sinks"
      $0.mixture = Mixture(
        router: "mlp.router", routerBias: true, routing: .softmaxOfChosen,
        experts: .stacked(prefix: "mlp.experts.", gateUp: "gate_up_proj", down: "down_proj"),
        count: Fact(["num_local_experts", "num_experts"], absent: nil),
        chosen: Fact(["num_experts_per_tok", "experts_per_token"], absent: 4),
        width: ["intermediate_size"],
        clamp: (Fact(["swiglu_limit"], absent: 7), Fact(["swiglu_alpha"], absent: 1.702)))
      $0.fixed = ["hidden_act": ["silu"]]
      $0.ignored = ["initial_context_length"]
    },
    .init("deepseek_v3") {
      $0.mixer = .latentAttention
      ($0.projectionBias, $0.outputBias) = (attentionBias, attentionBias)
      $0.rotary.pairing = .adjacentToHalves
      $0.when("rope_interleave", is: false) { $0.rotary.pairing = .halves }
      $0.mixture = Mixture(
        router: "mlp.gate", routing: .sigmoid(bias: "mlp.gate.e_score_correction_bias"),
        experts: experts, count: Fact(["n_routed_experts", "num_local_experts"], absent: nil),
        chosen: Fact(["num_experts_per_tok"], absent: nil), width: ["moe_intermediate_size"],
        shared: .init(
          prefix: "mlp.shared_experts.", width: .multiple(key: "n_shared_experts"), gate: nil),
        layers: .from(key: "first_k_dense_replace"))
      $0.fixed = [
        "scoring_func": ["sigmoid"], "topk_method": ["noaux_tc"], "moe_layer_freq": [1],
      ]
      // Further layers that predict later tokens; two widths that follow from others.
      $0.ignored = ["num_nextn_predict_layers", "head_dim", "qk_head_dim", "num_key_value_heads"]
    },
  ]

  private static func qwenMixture(count: Int, chosen: Int) -> Mixture {
    Mixture(
      router: "mlp.gate", routing: .softmax(renormalizes: .key("norm_topk_prob", absent: false)),
      experts: experts, count: Fact(["num_experts", "num_local_experts"], absent: count),
      chosen: Fact(["num_experts_per_tok"], absent: chosen), width: ["moe_intermediate_size"],
      layers: .listed)
  }
}
