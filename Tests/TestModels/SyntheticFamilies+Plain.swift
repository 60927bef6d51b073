import Formats

// Decoders with one tensor per projection. Hidden width 64, two heads of 32 and one key head unless
// said, inner width 128, 256 tokens.

extension SyntheticFamily {
  static let plain = [opt, llama, mistral, stableLM, gemma, gemma3, qwen2, qwen3, phi2, cohere]

  /// q, k, v and o with one key head for two query heads.
  private static let groupedAttention: [SyntheticTensor] = [
    .packed("self_attn.q_proj.weight", "attn_q", [64, 64]),
    .packed("self_attn.k_proj.weight", "attn_k", [32, 64]),
    .packed("self_attn.v_proj.weight", "attn_v", [32, 64]),
    .packed("self_attn.o_proj.weight", "attn_o", [64, 64]),
  ]

  private static let gatedMLP: [SyntheticTensor] = [
    .packed("mlp.gate_proj.weight", "mlp_gate", [128, 64]),
    .packed("mlp.up_proj.weight", "mlp_up", [128, 64]),
    .packed("mlp.down_proj.weight", "mlp_down", [64, 128]),
  ]

  private static let twoNorms: [SyntheticTensor] =
    SyntheticTensor.norm("input_layernorm", 64)
    + SyntheticTensor.norm("post_attention_layernorm", 64)

  private static let embedding = SyntheticTensor.packed(
    "model.embed_tokens.weight", "token_embedding", [256, 64])
  private static let head = SyntheticTensor.packed("lm_head.weight", "output_head", [256, 64])

  private static func llamaConfig(
    _ modelType: String, tied: Bool, keyHeads: Int = 1
  ) -> JSONValue {
    [
      "model_type": .string(modelType), "hidden_size": 64, "intermediate_size": 128,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": .integer(keyHeads),
      "head_dim": 32,
      "vocab_size": 256, "tie_word_embeddings": .bool(tied),
    ]
  }

  /// With the embedding narrower than the blocks, as in OPT-350M.
  static let opt = SyntheticFamily(
    "OPT", dtype: .f16,
    config: [
      "model_type": "opt", "hidden_size": 64, "ffn_dim": 256, "num_hidden_layers": 2,
      "num_attention_heads": 2, "word_embed_proj_dim": 32, "vocab_size": 256,
      "max_position_embeddings": 64,
    ],
    tensors: [
      .packed("model.decoder.embed_tokens.weight", "token_embedding", [256, 32]),
      .kept("model.decoder.embed_positions.weight", "position_embedding", [66, 64]),
      .packed("model.decoder.project_in.weight", "projection", [64, 32]),
      .packed("model.decoder.project_out.weight", "projection", [32, 64]),
    ]
      + .blocks(
        "model.decoder.layers",
        .withBiases([
          .packed("self_attn.q_proj.weight", "attn_q", [64, 64]),
          .packed("self_attn.k_proj.weight", "attn_k", [64, 64]),
          .packed("self_attn.v_proj.weight", "attn_v", [64, 64]),
          .packed("self_attn.out_proj.weight", "attn_o", [64, 64]),
          .packed("fc1.weight", "mlp_up", [256, 64]),
          .packed("fc2.weight", "mlp_down", [64, 256]),
        ]) + SyntheticTensor.norm("self_attn_layer_norm", 64, bias: true)
          + SyntheticTensor.norm("final_layer_norm", 64, bias: true)))

  /// With the rotary buffers that files of LLaMA's first year hold.
  static let llama = SyntheticFamily(
    "LLaMA", dtype: .f16, config: llamaConfig("llama", tied: false),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        groupedAttention + gatedMLP + twoNorms + [
          .dropped("self_attn.rotary_emb.inv_freq", "rotary_buffer", [16], dtype: .f32)
        ]) + SyntheticTensor.norm("model.norm", 64) + [head])

  static let mistral = SyntheticFamily(
    "Mistral", dtype: .bf16, config: llamaConfig("mistral", tied: false),
    tensors: [embedding] + .blocks("model.layers", groupedAttention + gatedMLP + twoNorms)
      + SyntheticTensor.norm("model.norm", 64) + [head])

  /// As StableLM 2 12B: a norm for each head, no norm before the MLP.
  static let stableLM = SyntheticFamily(
    "StableLM", dtype: .bf16, config: llamaConfig("stablelm", tied: false),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        groupedAttention + gatedMLP + SyntheticTensor.norm("input_layernorm", 64, bias: true) + [
          .kept("self_attn.q_layernorm.norms.0.weight", "norm", [32]),
          .kept("self_attn.q_layernorm.norms.1.weight", "norm", [32]),
          .kept("self_attn.k_layernorm.norms.0.weight", "norm", [32]),
        ]) + SyntheticTensor.norm("model.norm", 64, bias: true) + [head])

  /// Head width 64 where hidden / heads is 32, as in Gemma 7B.
  static let gemma = SyntheticFamily(
    "Gemma", dtype: .bf16,
    config: [
      "model_type": "gemma", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
      "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64, "vocab_size": 256,
    ],
    tensors: [embedding]
      + .blocks(
        "model.layers",
        [
          .packed("self_attn.q_proj.weight", "attn_q", [128, 64]),
          .packed("self_attn.k_proj.weight", "attn_k", [64, 64]),
          .packed("self_attn.v_proj.weight", "attn_v", [64, 64]),
          .packed("self_attn.o_proj.weight", "attn_o", [64, 128]),
        ] + gatedMLP + twoNorms) + SyntheticTensor.norm("model.norm", 64))

  /// Gemma 3 with its vision tower, and so with prefixes.
  static let gemma3 = SyntheticFamily(
    "Gemma 3", dtype: .bf16,
    config: ["model_type": "gemma3", "text_config": llamaConfig("gemma3_text", tied: true)],
    tensors: [
      .packed("language_model.model.embed_tokens.weight", "token_embedding", [256, 64]),
      .kept("multi_modal_projector.mm_input_projection_weight", "tower", [64, 64]),
      .kept("multi_modal_projector.mm_soft_emb_norm.weight", "tower", [64]),
      .kept("vision_tower.vision_model.embeddings.position_embedding.weight", "tower", [16, 64]),
      .kept("vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight", "tower", [128, 64]),
      .kept("vision_tower.vision_model.encoder.layers.0.mlp.fc1.bias", "tower", [128]),
    ]
      + .blocks(
        "language_model.model.layers",
        groupedAttention + gatedMLP + twoNorms
          + SyntheticTensor.norm("pre_feedforward_layernorm", 64)
          + SyntheticTensor.norm("post_feedforward_layernorm", 64)
          + SyntheticTensor.norm("self_attn.q_norm", 32)
          + SyntheticTensor.norm("self_attn.k_norm", 32))
      + SyntheticTensor.norm("language_model.model.norm", 64))

  static let qwen2 = SyntheticFamily(
    "Qwen2", dtype: .bf16, config: llamaConfig("qwen2", tied: true),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        .withBiases(Array(groupedAttention.prefix(3))) + groupedAttention.suffix(1) + gatedMLP
          + twoNorms) + SyntheticTensor.norm("model.norm", 64))

  static let qwen3 = SyntheticFamily(
    "Qwen3", dtype: .bf16, config: llamaConfig("qwen3", tied: true),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        groupedAttention + gatedMLP + twoNorms + SyntheticTensor.norm("self_attn.q_norm", 32)
          + SyntheticTensor.norm("self_attn.k_norm", 32))
      + SyntheticTensor.norm("model.norm", 64))

  static let phi2 = SyntheticFamily(
    "Phi-2", dtype: .f16, config: llamaConfig("phi", tied: false, keyHeads: 2),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        .withBiases([
          .packed("self_attn.q_proj.weight", "attn_q", [64, 64]),
          .packed("self_attn.k_proj.weight", "attn_k", [64, 64]),
          .packed("self_attn.v_proj.weight", "attn_v", [64, 64]),
          .packed("self_attn.dense.weight", "attn_o", [64, 64]),
          .packed("mlp.fc1.weight", "mlp_up", [256, 64]),
          .packed("mlp.fc2.weight", "mlp_down", [64, 256]),
        ]) + SyntheticTensor.norm("input_layernorm", 64, bias: true))
      + SyntheticTensor.norm("model.final_layernorm", 64, bias: true)
      + .withBiases([head]))

  /// As Command R+: the norm of queries and keys is a matrix, a row for each head.
  static let cohere = SyntheticFamily(
    "Cohere", dtype: .f16, config: llamaConfig("cohere", tied: true),
    tensors: [embedding]
      + .blocks(
        "model.layers",
        groupedAttention + gatedMLP + SyntheticTensor.norm("input_layernorm", 64) + [
          .kept("self_attn.q_norm.weight", "norm", [2, 32]),
          .kept("self_attn.k_norm.weight", "norm", [1, 32]),
        ]) + SyntheticTensor.norm("model.norm", 64))
}
