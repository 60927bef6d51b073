import Formats

// Families that share little with the other decoders.

extension SyntheticFamily {
  static let unlike = [mamba, bert, oldBERT, rwkv4, rwkv7]

  static let mamba = SyntheticFamily(
    "Mamba", dtype: .f32,
    config: [
      "model_type": "mamba", "hidden_size": 64, "intermediate_size": 128, "expand": 2,
      "num_hidden_layers": 2, "state_size": 16, "time_step_rank": 4, "conv_kernel": 4,
      "vocab_size": 256,
    ],
    tensors: [.packed("backbone.embeddings.weight", "token_embedding", [256, 64])]
      + .blocks(
        "backbone.layers",
        SyntheticTensor.norm("norm", 64) + [
          .packed("mixer.in_proj.weight", "ssm_in", [256, 64], cut: "x 0..<128, z 128..<256"),
          .packed(
            "mixer.x_proj.weight", "ssm_x", [36, 128], cut: "dt 0..<4, B 4..<20, C 20..<36"),
          .kept("mixer.dt_proj.weight", "ssm_dt", [128, 4]),
          .kept("mixer.dt_proj.bias", "bias", [128]),
          .packed("mixer.out_proj.weight", "ssm_out", [64, 128]),
          .kept("mixer.A_log", "ssm_state", [128, 16]),
          .kept("mixer.D", "ssm_state", [128]),
          .kept("mixer.conv1d.weight", "convolution", [128, 1, 4]),
          .kept("mixer.conv1d.bias", "bias", [128]),
        ]) + SyntheticTensor.norm("backbone.norm_f", 64))

  private static let bertConfig: JSONValue = [
    "model_type": "bert", "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 64, "type_vocab_size": 2,
    "vocab_size": 256,
  ]

  private static let bertBlock: [SyntheticTensor] = .withBiases([
    .packed("attention.self.query.weight", "attn_q", [64, 64]),
    .packed("attention.self.key.weight", "attn_k", [64, 64]),
    .packed("attention.self.value.weight", "attn_v", [64, 64]),
    .packed("attention.output.dense.weight", "attn_o", [64, 64]),
    .packed("intermediate.dense.weight", "mlp_up", [256, 64]),
    .packed("output.dense.weight", "mlp_down", [64, 256]),
  ])

  private static func bertEmbeddings(_ prefix: String) -> [SyntheticTensor] {
    [
      .packed("\(prefix)embeddings.word_embeddings.weight", "token_embedding", [256, 64]),
      .kept("\(prefix)embeddings.position_embeddings.weight", "position_embedding", [64, 64]),
      .kept("\(prefix)embeddings.token_type_embeddings.weight", "token_type_embedding", [2, 64]),
    ]
  }

  /// The encoder alone, as sentence embedders publish it.
  static let bert = SyntheticFamily(
    "BERT", dtype: .f32, config: bertConfig,
    tensors: bertEmbeddings("") + SyntheticTensor.norm("embeddings.LayerNorm", 64, bias: true)
      + [.kept("embeddings.position_ids", "position_ids", [1, 64], dtype: .i64)]
      + .blocks(
        "encoder.layer",
        bertBlock + SyntheticTensor.norm("attention.output.LayerNorm", 64, bias: true)
          + SyntheticTensor.norm("output.LayerNorm", 64, bias: true))
      + .withBiases([.packed("pooler.dense.weight", "pooler", [64, 64])]))

  /// With its heads, and `gamma` and `beta` for the norms, as Google's files have it.
  static let oldBERT = SyntheticFamily(
    "BERT with heads", dtype: .f32, config: bertConfig,
    tensors: bertEmbeddings("bert.") + [
      .kept("bert.embeddings.LayerNorm.gamma", "norm", [64]),
      .kept("bert.embeddings.LayerNorm.beta", "bias", [64]),
      .kept("cls.predictions.bias", "bias", [256]),
      .packed("cls.predictions.transform.dense.weight", "projection", [64, 64]),
      .kept("cls.predictions.transform.dense.bias", "bias", [64]),
      .kept("cls.predictions.transform.LayerNorm.gamma", "norm", [64]),
      .kept("cls.predictions.transform.LayerNorm.beta", "bias", [64]),
      .kept("cls.seq_relationship.weight", "classifier", [2, 64]),
      .kept("cls.seq_relationship.bias", "bias", [2]),
    ]
      + .blocks(
        "bert.encoder.layer",
        bertBlock + [
          .kept("attention.output.LayerNorm.gamma", "norm", [64]),
          .kept("attention.output.LayerNorm.beta", "bias", [64]),
          .kept("output.LayerNorm.gamma", "norm", [64]),
          .kept("output.LayerNorm.beta", "bias", [64]),
        ]) + .withBiases([.packed("bert.pooler.dense.weight", "pooler", [64, 64])]))

  static let rwkv4 = SyntheticFamily(
    "RWKV-4", dtype: .f32,
    config: [
      "model_type": "rwkv", "hidden_size": 64, "attention_hidden_size": 64,
      "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": 256,
    ],
    tensors: [
      .packed("rwkv.embeddings.weight", "token_embedding", [256, 64]),
      .packed("head.weight", "output_head", [256, 64]),
    ]
      + .blocks(
        "rwkv.blocks",
        [
          .packed("attention.key.weight", "attn_k", [64, 64]),
          .packed("attention.value.weight", "attn_v", [64, 64]),
          .packed("attention.receptance.weight", "attn_q", [64, 64]),
          .packed("attention.output.weight", "attn_o", [64, 64]),
          .kept("attention.time_decay", "time_mix", [64]),
          .kept("attention.time_first", "time_mix", [64]),
          .kept("attention.time_mix_key", "time_mix", [1, 1, 64]),
          .packed("feed_forward.key.weight", "mlp_up", [256, 64]),
          .packed("feed_forward.receptance.weight", "mlp_gate", [64, 64]),
          .packed("feed_forward.value.weight", "mlp_down", [64, 256]),
          .kept("feed_forward.time_mix_receptance", "time_mix", [1, 1, 64]),
        ] + SyntheticTensor.norm("ln1", 64, bias: true)
          + SyntheticTensor.norm("ln2", 64, bias: true))
      + SyntheticTensor.norm("rwkv.blocks.0.pre_ln", 64, bias: true).map { tensor in
        var tensor = tensor
        tensor.layer = 0
        return tensor
      } + SyntheticTensor.norm("rwkv.ln_out", 64, bias: true))

  static let rwkv7 = SyntheticFamily(
    "RWKV-7", dtype: .bf16,
    config: [
      "model_type": "rwkv7", "hidden_size": 64, "intermediate_size": 256, "head_dim": 32,
      "num_hidden_layers": 2, "vocab_size": 256,
    ],
    tensors: [
      .packed("model.embeddings.weight", "token_embedding", [256, 64]),
      .packed("lm_head.weight", "output_head", [256, 64]),
    ]
      + .blocks(
        "model.layers",
        [
          .packed("attn.r_proj.weight", "attn_q", [64, 64]),
          .packed("attn.k_proj.weight", "attn_k", [64, 64]),
          .packed("attn.v_proj.weight", "attn_v", [64, 64]),
          .packed("attn.o_proj.weight", "attn_o", [64, 64]),
          .kept("attn.x_r", "time_mix", [1, 1, 64]),
          .kept("attn.k_k", "time_mix", [64]),
          .kept("attn.r_k", "time_mix", [2, 32]),
          .kept("attn.w_lora.lora.0.weight", "low_rank_helper", [32, 64]),
          .kept("attn.w_lora.lora.2.weight", "low_rank_helper", [64, 32]),
          .kept("attn.w_lora.lora.2.bias", "bias", [64]),
          .packed("ffn.key.weight", "mlp_up", [256, 64]),
          .packed("ffn.value.weight", "mlp_down", [64, 256]),
          .kept("ffn.x_k", "time_mix", [64]),
        ] + SyntheticTensor.norm("attn.g_norm", 64, bias: true)
          + SyntheticTensor.norm("attn_norm", 64, bias: true)
          + SyntheticTensor.norm("ffn_norm", 64, bias: true))
      + SyntheticTensor.norm("model.norm", 64, bias: true))
}
