import Formats

// Mixtures of two experts. Hidden width 64, two heads of 32 and one key head unless said.

extension SyntheticFamily {
  static let mixtures = [
    mixtral, qwen2MoE, qwen3MoE, deepSeekV3, llama4, gptOSS, gptOSSPacked, jamba,
  ]

  static let mixtureAttention: [SyntheticTensor] = [
    .packed("self_attn.q_proj.weight", "attn_q", [64, 64]),
    .packed("self_attn.k_proj.weight", "attn_k", [32, 64]),
    .packed("self_attn.v_proj.weight", "attn_v", [32, 64]),
    .packed("self_attn.o_proj.weight", "attn_o", [64, 64]),
  ]

  static let mixtureNorms: [SyntheticTensor] =
    SyntheticTensor.norm("input_layernorm", 64)
    + SyntheticTensor.norm("post_attention_layernorm", 64)

  private static let separateExpert: [SyntheticTensor] = [
    .packed("gate_proj.weight", "expert_gate", [32, 64]),
    .packed("up_proj.weight", "expert_up", [32, 64]),
    .packed("down_proj.weight", "expert_down", [64, 32]),
  ]

  static func mixtureEnds(_ prefix: String = "model", head: String = "lm_head")
    -> [SyntheticTensor]
  {
    [
      .packed("\(prefix).embed_tokens.weight", "token_embedding", [256, 64]),
      .packed("\(head).weight", "output_head", [256, 64]),
    ]
  }

  static let mixtral = SyntheticFamily(
    "Mixtral", dtype: .bf16,
    config: [
      "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 128,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
      "num_local_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureAttention + mixtureNorms + [
          .kept("block_sparse_moe.gate.weight", "router", [2, 64])
        ]
          + .experts(
            "block_sparse_moe.experts",
            [
              .packed("w1.weight", "expert_gate", [128, 64]),
              .packed("w2.weight", "expert_down", [64, 128]),
              .packed("w3.weight", "expert_up", [128, 64]),
            ])) + SyntheticTensor.norm("model.norm", 64))

  static let qwen2MoE = SyntheticFamily(
    "Qwen2-MoE", dtype: .bf16,
    config: [
      "model_type": "qwen2_moe", "hidden_size": 64, "moe_intermediate_size": 32,
      "shared_expert_intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
      "num_key_value_heads": 1, "num_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        .withBiases(Array(mixtureAttention.prefix(3))) + mixtureAttention.suffix(1) + mixtureNorms
          + [
            .kept("mlp.gate.weight", "router", [2, 64]),
            .kept("mlp.shared_expert_gate.weight", "router", [1, 64]),
            .packed("mlp.shared_expert.gate_proj.weight", "shared_expert_gate", [128, 64]),
            .packed("mlp.shared_expert.up_proj.weight", "shared_expert_up", [128, 64]),
            .packed("mlp.shared_expert.down_proj.weight", "shared_expert_down", [64, 128]),
          ] + .experts("mlp.experts", separateExpert)) + SyntheticTensor.norm("model.norm", 64))

  static let qwen3MoE = SyntheticFamily(
    "Qwen3-MoE", dtype: .bf16,
    config: [
      "model_type": "qwen3_moe", "hidden_size": 64, "moe_intermediate_size": 32,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
      "num_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureAttention + mixtureNorms + SyntheticTensor.norm("self_attn.q_norm", 32)
          + SyntheticTensor.norm("self_attn.k_norm", 32) + [
            .kept("mlp.gate.weight", "router", [2, 64])
          ] + .experts("mlp.experts", separateExpert)) + SyntheticTensor.norm("model.norm", 64))

  /// A linear layer in FP8 with its scale for each 128 x 128 block.
  private static func float8(_ name: String, _ role: String, _ shape: [Int]) -> [SyntheticTensor] {
    let blocks = shape.map { ($0 + 127) / 128 }
    return [
      .packed("\(name).weight", role, shape, dtype: .f8E4M3),
      .kept("\(name).weight_scale_inv", "quantization_parameter", blocks, dtype: .f32),
    ]
  }

  /// Latent width 32 for keys, 64 for queries; the queries' heads are 32 + 16 wide, the values' 32.
  private static let latentAttention: [SyntheticTensor] =
    float8("self_attn.q_a_proj", "attn_q_a", [64, 128])
    + float8("self_attn.q_b_proj", "attn_q_b", [192, 64])
    + float8("self_attn.kv_a_proj_with_mqa", "attn_kv_a", [48, 128])
    + float8("self_attn.kv_b_proj", "attn_kv_b", [256, 32])
    + float8("self_attn.o_proj", "attn_o", [128, 128])
    + SyntheticTensor.norm("self_attn.q_a_layernorm", 64)
    + SyntheticTensor.norm("self_attn.kv_a_layernorm", 32)
    + SyntheticTensor.norm("input_layernorm", 128)
    + SyntheticTensor.norm("post_attention_layernorm", 128)

  private static let deepSeekExperts: [SyntheticTensor] =
    [
      .kept("mlp.gate.weight", "router", [2, 128]),
      .kept("mlp.gate.e_score_correction_bias", "router", [2], dtype: .f32),
    ] + float8("mlp.shared_experts.gate_proj", "shared_expert_gate", [64, 128])
    + float8("mlp.shared_experts.up_proj", "shared_expert_up", [64, 128])
    + float8("mlp.shared_experts.down_proj", "shared_expert_down", [128, 64])
    + .experts(
      "mlp.experts",
      float8("gate_proj", "expert_gate", [64, 128]) + float8("up_proj", "expert_up", [64, 128])
        + float8("down_proj", "expert_down", [128, 64]))

  /// A dense block, a block of experts, and the block that predicts a second token.
  static let deepSeekV3 = SyntheticFamily(
    "DeepSeek-V3", dtype: .bf16,
    config: [
      "model_type": "deepseek_v3", "hidden_size": 128, "intermediate_size": 256,
      "moe_intermediate_size": 64, "num_hidden_layers": 2, "first_k_dense_replace": 1,
      "num_nextn_predict_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
      "q_lora_rank": 64, "kv_lora_rank": 32, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16,
      "v_head_dim": 32, "n_routed_experts": 2, "n_shared_experts": 1, "vocab_size": 256,
      "quantization_config": [
        "quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128],
        "activation_scheme": "dynamic",
      ],
    ],
    tensors: [
      .packed("model.embed_tokens.weight", "token_embedding", [256, 128]),
      .packed("lm_head.weight", "output_head", [256, 128]),
    ] + SyntheticTensor.norm("model.norm", 128)
      + .block(
        "model.layers", 0,
        latentAttention + float8("mlp.gate_proj", "mlp_gate", [256, 128])
          + float8("mlp.up_proj", "mlp_up", [256, 128])
          + float8("mlp.down_proj", "mlp_down", [128, 256]))
      + .block("model.layers", 1, latentAttention + deepSeekExperts)
      + .block(
        "model.layers", 2,
        latentAttention + deepSeekExperts + [
          .packed("embed_tokens.weight", "token_embedding", [256, 128]),
          .packed("eh_proj.weight", "projection", [128, 256]),
          .packed("shared_head.head.weight", "output_head", [256, 128]),
        ] + SyntheticTensor.norm("enorm", 128) + SyntheticTensor.norm("hnorm", 128)
          + SyntheticTensor.norm("shared_head.norm", 128)))

  /// Experts stored input-major, halves of gate and up.
  static let llama4 = SyntheticFamily(
    "Llama 4", dtype: .bf16,
    config: [
      "model_type": "llama4",
      "text_config": [
        "model_type": "llama4_text", "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "num_local_experts": 2, "vocab_size": 256,
      ],
    ],
    tensors: mixtureEnds("language_model.model", head: "language_model.lm_head")
      + .blocks(
        "language_model.model.layers",
        mixtureAttention + mixtureNorms + [
          .kept("feed_forward.router.weight", "router", [2, 64]),
          .packed(
            "feed_forward.experts.gate_up_proj", "expert_gate_up", [2, 64, 192], transposed: true,
            cut: "gate 0..<96, up 96..<192"),
          .packed("feed_forward.experts.down_proj", "expert_down", [2, 96, 64], transposed: true),
          .packed("feed_forward.shared_expert.gate_proj.weight", "shared_expert_gate", [96, 64]),
          .packed("feed_forward.shared_expert.up_proj.weight", "shared_expert_up", [96, 64]),
          .packed("feed_forward.shared_expert.down_proj.weight", "shared_expert_down", [64, 96]),
        ]) + SyntheticTensor.norm("language_model.model.norm", 64) + [
        .kept("vision_model.patch_embedding.linear.weight", "tower", [64, 64]),
        .kept("multi_modal_projector.linear_1.weight", "tower", [64, 64]),
      ])

  private static func gptOSS(_ name: String, experts: [SyntheticTensor]) -> SyntheticFamily {
    SyntheticFamily(
      name, dtype: .bf16,
      config: [
        "model_type": "gpt_oss", "hidden_size": 64, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "head_dim": 32, "num_local_experts": 2, "vocab_size": 256,
      ],
      tensors: mixtureEnds()
        + .blocks(
          "model.layers",
          .withBiases(mixtureAttention) + mixtureNorms + [
            .kept("self_attn.sinks", "attn_sinks", [2]),
            .kept("mlp.router.weight", "router", [2, 64]),
            .kept("mlp.router.bias", "bias", [2]),
            .kept("mlp.experts.gate_up_proj_bias", "bias", [2, 128]),
            .kept("mlp.experts.down_proj_bias", "bias", [2, 64]),
          ] + experts) + SyntheticTensor.norm("model.norm", 64))
  }

  /// The BF16 variant: input-major, gate and up interleaved, and `down_proj` square as published.
  static let gptOSS = gptOSS(
    "gpt-oss",
    experts: [
      .packed(
        "mlp.experts.gate_up_proj", "expert_gate_up", [2, 64, 128], transposed: true,
        cut: "64 x [gate 1, up 1]"),
      .packed("mlp.experts.down_proj", "expert_down", [2, 64, 64], transposed: true),
    ])

  /// As published: experts in blocks of 32 four-bit numbers.
  static let gptOSSPacked = gptOSS(
    "gpt-oss MXFP4",
    experts: [
      .kept(
        "mlp.experts.gate_up_proj_blocks", "expert_gate_up", [2, 128, 2, 16], dtype: .u8,
        cut: "64 x [gate 1, up 1]"),
      .kept(
        "mlp.experts.gate_up_proj_scales", "quantization_parameter", [2, 128, 2], dtype: .u8),
      .kept("mlp.experts.down_proj_blocks", "expert_down", [2, 64, 2, 16], dtype: .u8),
      .kept("mlp.experts.down_proj_scales", "quantization_parameter", [2, 64, 2], dtype: .u8),
    ])

  /// A Mamba block with a dense MLP, and an attention block with experts.
  static let jamba = SyntheticFamily(
    "Jamba", dtype: .bf16,
    config: [
      "model_type": "jamba", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
      "num_attention_heads": 2, "num_key_value_heads": 1, "num_experts": 2, "mamba_expand": 2,
      "mamba_d_state": 16, "mamba_dt_rank": 32, "mamba_d_conv": 4, "vocab_size": 256,
      "attn_layer_period": 2, "attn_layer_offset": 1,
    ],
    tensors: mixtureEnds()
      + .block(
        "model.layers", 0,
        [
          .packed("mamba.in_proj.weight", "ssm_in", [256, 64], cut: "x 0..<128, z 128..<256"),
          .packed(
            "mamba.x_proj.weight", "ssm_x", [64, 128], cut: "dt 0..<32, B 32..<48, C 48..<64"),
          .kept("mamba.dt_proj.weight", "ssm_dt", [128, 32]),
          .kept("mamba.dt_proj.bias", "bias", [128]),
          .packed("mamba.out_proj.weight", "ssm_out", [64, 128]),
          .kept("mamba.A_log", "ssm_state", [128, 16]),
          .kept("mamba.D", "ssm_state", [128]),
          .kept("mamba.conv1d.weight", "convolution", [128, 1, 4]),
          .kept("mamba.conv1d.bias", "bias", [128]),
          .packed("feed_forward.gate_proj.weight", "mlp_gate", [128, 64]),
          .packed("feed_forward.up_proj.weight", "mlp_up", [128, 64]),
          .packed("feed_forward.down_proj.weight", "mlp_down", [64, 128]),
        ] + SyntheticTensor.norm("mamba.dt_layernorm", 32)
          + SyntheticTensor.norm("mamba.b_layernorm", 16)
          + SyntheticTensor.norm("mamba.c_layernorm", 16)
          + SyntheticTensor.norm("input_layernorm", 64)
          + SyntheticTensor.norm("pre_ff_layernorm", 64))
      + .block(
        "model.layers", 1,
        mixtureAttention + [.kept("feed_forward.router.weight", "router", [2, 64])]
          + .experts(
            "feed_forward.experts",
            [
              .packed("gate_proj.weight", "expert_gate", [128, 64]),
              .packed("up_proj.weight", "expert_up", [128, 64]),
              .packed("down_proj.weight", "expert_down", [64, 128]),
            ]) + SyntheticTensor.norm("input_layernorm", 64)
          + SyntheticTensor.norm("pre_ff_layernorm", 64))
      + SyntheticTensor.norm("model.final_layernorm", 64))
}
