import Formats

// Families further from Llama: layer norms, fused projections, state spaces.

extension ArchitectureFamily {
  private mutating func hasLayerNorms(_ epsilonKey: String) {
    norm = .layer
    epsilon = Fact([epsilonKey], absent: 1e-5)
  }

  private mutating func hasBiases(_ flag: Flag) {
    (projectionBias, outputBias, feedForwardBias) = (flag, flag, flag)
  }

  static let layerNormed: [ArchitectureFamily] = [
    .init("stablelm") {
      $0.hasLayerNorms("layer_norm_eps")
      $0.rotary.fraction = Fact(["partial_rotary_factor"], absent: 0.25)
      $0.projectionBias = .key("use_qkv_bias", absent: false)
      $0.queryKeyNorm = QueryKeyNorm(
        form: .headsOfTheirOwn, query: "self_attn.q_layernorm.norms.",
        key: "self_attn.k_layernorm.norms.", isThere: .key("qk_layernorm", absent: false))
      $0.when("use_parallel_residual", is: true) {
        $0.arrangement = .parallel
        $0.norms.preFeedForward = nil
      }
      $0.ignored = ["rms_norm_eps"]
    },
    .init("cohere") {
      $0.hasLayerNorms("layer_norm_eps")
      $0.normBiases = .never
      $0.arrangement = .parallel
      $0.norms.preFeedForward = nil
      $0.rotary.pairing = .adjacent
      ($0.projectionBias, $0.outputBias) = (
        .key("attention_bias", absent: false), .key("attention_bias", absent: false)
      )
      $0.queryKeyNorm = QueryKeyNorm(
        form: .headsOfOneTensor, query: "self_attn.q_norm", key: "self_attn.k_norm",
        isThere: .key("use_qk_norm", absent: false))
      $0.logitScale = .times(Fact(["logit_scale"], absent: 0.0625))
      $0.isTied = true
    },
    .init("starcoder2") {
      $0.hasLayerNorms("norm_epsilon")
      $0.hasBiases(.key("use_bias", absent: true))
      $0.keyValueHeads = .listed(["num_key_value_heads"], absent: 2)
      $0.window = .everyLayer
      $0.feedForward = .plain(up: "mlp.c_fc", down: "mlp.c_proj")
      $0.activation = Fact(["hidden_act"], absent: "gelu_pytorch_tanh")
      $0.isTied = true
      $0.fixed = [
        "mlp_type": ["default"], "norm_type": ["layer_norm"], "scale_attn_weights": [true],
      ]
    },
    .init("phi") {
      $0.hasLayerNorms("layer_norm_eps")
      $0.hasBiases(.always)
      $0.arrangement = .parallel
      $0.norms.preFeedForward = nil
      $0.finalNorm = "model.final_layernorm"
      $0.rotary.fraction = Fact(["partial_rotary_factor"], absent: 0.5)
      $0.output = "self_attn.dense"
      $0.queryKeyNorm = QueryKeyNorm(
        form: .head, query: "self_attn.q_layernorm", key: "self_attn.k_layernorm",
        isThere: .key("qk_layernorm", absent: false), hasBias: true)
      $0.feedForward = .plain(up: "mlp.fc1", down: "mlp.fc2")
      $0.activation = Fact(["hidden_act"], absent: "gelu_new")
      $0.headBias = .always
    },
    .init("opt") {
      $0.hasLayerNorms("layer_norm_eps")
      $0.epsilon = .always(1e-5)
      $0.hasBiases(.key("enable_bias", absent: true))
      $0.normWeights = .key("layer_norm_elementwise_affine", absent: true)
      $0.normBiases = .key("layer_norm_elementwise_affine", absent: true)
      $0.embedding = ["model.decoder.embed_tokens"]
      $0.layers = "model.decoder.layers."
      $0.finalNorm = "model.decoder.final_layer_norm"
      $0.embeddingProjection = .init(
        widthKey: "word_embed_proj_dim", input: "model.decoder.project_in",
        output: "model.decoder.project_out")
      $0.positions = .learned("model.decoder.embed_positions", offset: 2)
      $0.norms = NormNames(preMixer: "self_attn_layer_norm", preFeedForward: "final_layer_norm")
      $0.keyValueHeads = .asQueries
      $0.output = "self_attn.out_proj"
      $0.feedForward = .plain(up: "fc1", down: "fc2")
      $0.feedForwardWidth = Fact(["ffn_dim"], absent: nil)
      $0.activation = Fact(["activation_function"], absent: "relu")
      $0.isTied = true
      $0.when("do_layer_norm_before", is: false) {
        $0.norms = NormNames(
          afterMixer: "self_attn_layer_norm", afterFeedForward: "final_layer_norm")
        $0.finalNorm = nil
      }
      $0.when("_remove_final_layer_norm", is: true) { $0.finalNorm = nil }
    },
  ]

  private mutating func hasFusedAttention(_ name: String) {
    projection = .fused(name + ".query_key_value", .grouped)
    output = name + ".dense"
    feedForward = .plain(up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h")
    keyValueHeads = .asQueries
  }

  /// Names of Falcon and BLOOM.
  private mutating func isOfTransformer() {
    hasLayerNorms("layer_norm_epsilon")
    hasFusedAttention("self_attention")
    embedding = ["transformer.word_embeddings"]
    layers = "transformer.h."
    finalNorm = "transformer.ln_f"
    optionalPrefix = "transformer."
    hiddenSize = ["hidden_size", "n_embed"]
    isTied = true
  }

  static let fused: [ArchitectureFamily] = [
    .init("gpt2") {
      $0.hasLayerNorms("layer_norm_epsilon")
      $0.hasBiases(.always)
      $0.embedding = ["transformer.wte"]
      $0.layers = "transformer.h."
      $0.finalNorm = "transformer.ln_f"
      $0.optionalPrefix = "transformer."
      $0.order = .inputMajor
      $0.hiddenSize = ["n_embd", "hidden_size"]
      $0.layerCount = ["n_layer", "num_hidden_layers"]
      $0.headCount = ["n_head", "num_attention_heads"]
      $0.contextLength = ["n_positions", "max_position_embeddings"]
      $0.positions = .learned("transformer.wpe", offset: 0)
      $0.norms = NormNames(preMixer: "ln_1", preFeedForward: "ln_2")
      $0.keyValueHeads = .asQueries
      $0.headWidth = Fact([], absent: nil)
      $0.projection = .fused("attn.c_attn", .contiguous)
      $0.output = "attn.c_proj"
      $0.feedForward = .plain(up: "mlp.c_fc", down: "mlp.c_proj")
      ($0.feedForwardWidth, $0.feedForwardRatio) = (Fact(["n_inner"], absent: nil), 4)
      $0.activation = Fact(["activation_function"], absent: "gelu_new")
      $0.isTied = true
      $0.when("scale_attn_weights", is: false) { $0.scale = .factor(.always(1)) }
      $0.when("scale_attn_by_inverse_layer_idx", is: true) { $0.dividesScaleByLayer = true }
      $0.ignored = ["n_ctx"]
    },
    .init("gpt_neox") {
      $0.hasLayerNorms("layer_norm_eps")
      $0.hasFusedAttention("attention")
      let bias = Flag.key("attention_bias", absent: true)
      ($0.projectionBias, $0.outputBias, $0.feedForwardBias) = (bias, bias, .always)
      $0.embedding = ["gpt_neox.embed_in"]
      $0.layers = "gpt_neox.layers."
      $0.finalNorm = "gpt_neox.final_layer_norm"
      $0.optionalPrefix = "gpt_neox."
      $0.head = ["embed_out", "lm_head"]
      $0.arrangement = .parallel
      $0.rotary.base = Fact(["rotary_emb_base", "rope_theta"], absent: 10_000)
      $0.rotary.fraction = Fact(["rotary_pct", "partial_rotary_factor"], absent: 0.25)
      $0.activation = Fact(["hidden_act"], absent: "gelu")
      $0.when("use_parallel_residual", is: false) { $0.arrangement = .sequential }
    },
    .init("falcon") {
      $0.isOfTransformer()
      $0.hasBiases(.key("bias", absent: false))
      $0.keyValueHeads = .one
      $0.arrangement = .parallel
      $0.norms.preFeedForward = nil
      ($0.feedForwardWidth, $0.feedForwardRatio) = (Fact(["ffn_hidden_size"], absent: nil), 4)
      $0.activation = Fact(["activation"], absent: "gelu")
      $0.ignored = ["num_kv_heads", "num_ln_in_parallel_attn"]
      $0.when("multi_query", is: false) { $0.keyValueHeads = .asQueries }
      $0.when("parallel_attn", is: false) {
        $0.arrangement = .sequential
        $0.norms.preFeedForward = "post_attention_layernorm"
      }
      $0.when("alibi", is: true) {
        $0.positions = .linearBias(.roundedAndScaled)
        $0.ignored.formUnion(["rope_theta", "rope_scaling", "rope_parameters"])
      }
      $0.when("new_decoder_architecture", is: true) {
        $0.keyValueHeads = .listed(["num_kv_heads"], absent: nil)
        $0.arrangement = .parallel
        $0.norms = NormNames(preMixer: "ln_attn", preFeedForward: "ln_mlp")
      }
      $0.variants.append(
        Variant(
          conditions: [
            .init(key: "new_decoder_architecture", value: true, absent: false),
            .init(key: "num_ln_in_parallel_attn", value: 1, absent: 2),
          ]
        ) { $0.norms = NormNames(preMixer: "input_layernorm") })
    },
    .init("bloom") {
      $0.isOfTransformer()
      $0.hasBiases(.always)
      $0.embeddingNorm = "transformer.word_embeddings_layernorm"
      $0.layerCount = ["n_layer", "num_hidden_layers"]
      $0.headCount = ["n_head", "num_attention_heads"]
      $0.positions = .linearBias(.exact)
      ($0.feedForwardWidth, $0.feedForwardRatio) = (Fact([], absent: nil), 4)
      $0.activation = .always("gelu_new")
      $0.when("apply_residual_connection_post_layernorm", is: true) { $0.addsToNormalized = true }
    },
    .init("chatglm") {
      $0.hasFusedAttention("self_attention")
      $0.epsilon = Fact(["layernorm_epsilon"], absent: 1e-5)
      $0.embedding = ["transformer.embedding.word_embeddings"]
      $0.layers = "transformer.encoder.layers."
      $0.finalNorm = "transformer.encoder.final_layernorm"
      $0.optionalPrefix = "transformer."
      $0.head = ["transformer.output_layer"]
      $0.layerCount = ["num_layers"]
      $0.vocabularySize = ["padded_vocab_size"]
      $0.contextLength = ["seq_length"]
      $0.headWidth = Fact(["kv_channels"], absent: nil)
      $0.rotary.pairing = .adjacent
      $0.rotary.base = .always(10_000)
      $0.rotary.baseRatio = Fact(["rope_ratio"], absent: 1)
      $0.rotary.fraction = .always(0.5)
      $0.projectionBias = .key("add_qkv_bias", absent: false)
      ($0.outputBias, $0.feedForwardBias) = (
        .key("add_bias_linear", absent: false), .key("add_bias_linear", absent: false)
      )
      $0.feedForward = .fusedGated("mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h")
      $0.feedForwardWidth = Fact(["ffn_hidden_size"], absent: nil)
      $0.activation = .always("silu")
      $0.when("multi_query_attention", is: true) {
        $0.projection = .fused("self_attention.query_key_value", .contiguous)
        $0.keyValueHeads = .listed(["multi_query_group_num"], absent: 1)
      }
      $0.when("add_bias_linear", is: true) { $0.projectionBias = .always }
      $0.fixed = [
        "rmsnorm": [true], "post_layer_norm": [true], "original_rope": [true],
        "apply_residual_connection_post_layernorm": [false],
      ]
      // The last divides queries by what the softmax multiplies with again.
      $0.ignored = [
        "multi_query_group_num", "add_qkv_bias", "apply_query_key_layer_scaling",
      ]
    },
  ]

  private mutating func isStateSpace(_ mixer: Mixer) {
    self.mixer = mixer
    embedding = ["backbone.embeddings", "backbone.embedding"]
    layers = "backbone.layers."
    finalNorm = "backbone.norm_f"
    optionalPrefix = "backbone."
    epsilon = Fact(["layer_norm_epsilon"], absent: 1e-5)
    norms = NormNames(preMixer: "norm")
    feedForward = nil
    positions = .none
    fixed = ["hidden_act": ["silu"], "rms_norm": [true]]
    // What files of the original code say twice, and how steps are initialized.
    ignored = [
      "d_model", "d_inner", "n_layer", "ssm_cfg", "fused_add_norm", "pad_vocab_size_multiple",
      "chunk_size", "norm_before_gate", "rescale_prenorm_residual", "residual_in_fp32",
      "time_step_floor", "time_step_init_scheme", "time_step_max", "time_step_min",
      "time_step_scale", "use_associative_scan", "use_mambapy",
    ]
  }

  static let recurrent: [ArchitectureFamily] = [
    .init("mamba") {
      $0.isStateSpace(.mamba)
      $0.isTied = true
    },
    .init("mamba2") {
      $0.isStateSpace(.mamba2)
      $0.ignored.insert("time_step_rank")
    },
  ]
}
