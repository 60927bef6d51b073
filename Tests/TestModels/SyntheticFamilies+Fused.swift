import Formats

// Decoders that fuse query, key and value, or gate and up.

extension SyntheticFamily {
  static let fused = [
    falcon7B, falcon40B, falconRW, bloom, gptNeoX, chatGLM3, phi3, mpt, gpt2, gptBigCode,
  ]

  private static func falcon(
    _ name: String, config: JSONValue, hidden: Int, fusedRows: Int, cut: String, norms: [String]
  ) -> SyntheticFamily {
    SyntheticFamily(
      name, dtype: .bf16, config: config,
      tensors: [.packed("transformer.word_embeddings.weight", "token_embedding", [256, hidden])]
        + .blocks(
          "transformer.h",
          [
            .packed(
              "self_attention.query_key_value.weight", "attn_qkv", [fusedRows, hidden], cut: cut),
            .packed("self_attention.dense.weight", "attn_o", [hidden, hidden]),
            .packed("mlp.dense_h_to_4h.weight", "mlp_up", [4 * hidden, hidden]),
            .packed("mlp.dense_4h_to_h.weight", "mlp_down", [hidden, 4 * hidden]),
          ] + norms.flatMap { SyntheticTensor.norm($0, hidden, bias: true) })
        + SyntheticTensor.norm("transformer.ln_f", hidden, bias: true) + [
          .packed("lm_head.weight", "output_head", [256, hidden])
        ])
  }

  /// One key head for four query heads of 16, though `num_kv_heads` says otherwise, as it does in
  /// the published configuration.
  static let falcon7B = falcon(
    "Falcon-7B",
    config: [
      "model_type": "falcon", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
      "num_kv_heads": 4, "multi_query": true, "new_decoder_architecture": false,
      "vocab_size": 256,
    ],
    hidden: 64, fusedRows: 96, cut: "q 0..<64, k 64..<80, v 80..<96", norms: ["input_layernorm"])

  /// Two key heads for eight query heads of 16: two groups of [4 queries, key, value].
  static let falcon40B = falcon(
    "Falcon-40B",
    config: [
      "model_type": "falcon", "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 8,
      "num_kv_heads": 2, "multi_query": true, "new_decoder_architecture": true, "vocab_size": 256,
    ],
    hidden: 128, fusedRows: 192, cut: "2 x [q 64, k 16, v 16]", norms: ["ln_attn", "ln_mlp"])

  /// Under the names that Falcon's configuration had at first.
  static let falconRW = falcon(
    "Falcon-RW",
    config: [
      "model_type": "RefinedWebModel", "hidden_size": 64, "n_layer": 2, "n_head": 4,
      "multi_query": false, "alibi": true, "vocab_size": 256,
    ],
    hidden: 64, fusedRows: 192, cut: "4 x [q 16, k 16, v 16]",
    norms: ["input_layernorm", "post_attention_layernorm"])

  /// Without `transformer.`, and with `n_embed` for the hidden width, as bigscience publishes it.
  static let bloom = SyntheticFamily(
    "Bloom", dtype: .f16,
    config: [
      "model_type": "bloom", "n_embed": 64, "n_layer": 2, "num_attention_heads": 4,
      "vocab_size": 512,
    ],
    tensors: [.packed("word_embeddings.weight", "token_embedding", [512, 64])]
      + SyntheticTensor.norm("word_embeddings_layernorm", 64, bias: true)
      + .blocks(
        "h",
        .withBiases([
          .packed(
            "self_attention.query_key_value.weight", "attn_qkv", [192, 64],
            cut: "4 x [q 16, k 16, v 16]"),
          .packed("self_attention.dense.weight", "attn_o", [64, 64]),
          .packed("mlp.dense_h_to_4h.weight", "mlp_up", [256, 64]),
          .packed("mlp.dense_4h_to_h.weight", "mlp_down", [64, 256]),
        ]) + SyntheticTensor.norm("input_layernorm", 64, bias: true)
          + SyntheticTensor.norm("post_attention_layernorm", 64, bias: true))
      + SyntheticTensor.norm("ln_f", 64, bias: true))

  /// With the buffers that Pythia's files hold.
  static let gptNeoX = SyntheticFamily(
    "GPT-NeoX", dtype: .f16,
    config: [
      "model_type": "gpt_neox", "hidden_size": 64, "intermediate_size": 256,
      "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 256,
    ],
    tensors: [.packed("gpt_neox.embed_in.weight", "token_embedding", [256, 64])]
      + .blocks(
        "gpt_neox.layers",
        .withBiases([
          .packed(
            "attention.query_key_value.weight", "attn_qkv", [192, 64],
            cut: "2 x [q 32, k 32, v 32]"),
          .packed("attention.dense.weight", "attn_o", [64, 64]),
          .packed("mlp.dense_h_to_4h.weight", "mlp_up", [256, 64]),
          .packed("mlp.dense_4h_to_h.weight", "mlp_down", [64, 256]),
        ]) + SyntheticTensor.norm("input_layernorm", 64, bias: true)
          + SyntheticTensor.norm("post_attention_layernorm", 64, bias: true) + [
            .dropped("attention.bias", "mask_buffer", [1, 1, 64, 64], dtype: .bool),
            .dropped("attention.masked_bias", "mask_buffer", []),
            .dropped("attention.rotary_emb.inv_freq", "rotary_buffer", [4]),
          ]) + SyntheticTensor.norm("gpt_neox.final_layer_norm", 64, bias: true) + [
        .packed("embed_out.weight", "output_head", [256, 64])
      ])

  static let chatGLM3 = SyntheticFamily(
    "ChatGLM3", dtype: .f16,
    config: [
      "model_type": "chatglm", "hidden_size": 64, "ffn_hidden_size": 96, "num_layers": 2,
      "num_attention_heads": 4, "kv_channels": 16, "multi_query_attention": true,
      "multi_query_group_num": 2, "padded_vocab_size": 256,
    ],
    tensors: [
      .packed("transformer.embedding.word_embeddings.weight", "token_embedding", [256, 64]),
      .dropped("transformer.rotary_pos_emb.inv_freq", "rotary_buffer", [4]),
      .packed("transformer.output_layer.weight", "output_head", [256, 64]),
    ]
      + .blocks(
        "transformer.encoder.layers",
        .withBiases([
          .packed(
            "self_attention.query_key_value.weight", "attn_qkv", [128, 64],
            cut: "q 0..<64, k 64..<96, v 96..<128")
        ]) + [
          .packed("self_attention.dense.weight", "attn_o", [64, 64]),
          .packed(
            "mlp.dense_h_to_4h.weight", "mlp_gate_up", [192, 64],
            cut: "gate 0..<96, up 96..<192"),
          .packed("mlp.dense_4h_to_h.weight", "mlp_down", [64, 96]),
        ] + SyntheticTensor.norm("input_layernorm", 64)
          + SyntheticTensor.norm("post_attention_layernorm", 64))
      + SyntheticTensor.norm("transformer.encoder.final_layernorm", 64))

  static let phi3 = SyntheticFamily(
    "Phi-3", dtype: .bf16,
    config: [
      "model_type": "phi3", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
    ],
    tensors: [.packed("model.embed_tokens.weight", "token_embedding", [256, 64])]
      + .blocks(
        "model.layers",
        [
          .packed(
            "self_attn.qkv_proj.weight", "attn_qkv", [128, 64],
            cut: "q 0..<64, k 64..<96, v 96..<128"),
          .packed("self_attn.o_proj.weight", "attn_o", [64, 64]),
          .packed(
            "mlp.gate_up_proj.weight", "mlp_gate_up", [256, 64],
            cut: "gate 0..<128, up 128..<256"),
          .packed("mlp.down_proj.weight", "mlp_down", [64, 128]),
        ] + SyntheticTensor.norm("input_layernorm", 64)
          + SyntheticTensor.norm("post_attention_layernorm", 64))
      + SyntheticTensor.norm("model.norm", 64) + [
        .packed("lm_head.weight", "output_head", [256, 64])
      ])

  static let mpt = SyntheticFamily(
    "MPT", dtype: .bf16,
    config: [
      "model_type": "mpt", "d_model": 64, "n_layers": 2, "n_heads": 2, "vocab_size": 256,
    ],
    tensors: [.packed("transformer.wte.weight", "token_embedding", [256, 64])]
      + .blocks(
        "transformer.blocks",
        [
          .packed(
            "attn.Wqkv.weight", "attn_qkv", [192, 64], cut: "q 0..<64, k 64..<128, v 128..<192"),
          .packed("attn.out_proj.weight", "attn_o", [64, 64]),
          .packed("ffn.up_proj.weight", "mlp_up", [256, 64]),
          .packed("ffn.down_proj.weight", "mlp_down", [64, 256]),
        ] + SyntheticTensor.norm("norm_1", 64) + SyntheticTensor.norm("norm_2", 64))
      + SyntheticTensor.norm("transformer.norm_f", 64))

  private static func gpt2Block(
    transposed: Bool, qkv: [Int], cut: String, up: [Int], down: [Int]
  ) -> [SyntheticTensor] {
    .withBiases([
      .packed("attn.c_attn.weight", "attn_qkv", qkv, transposed: transposed, cut: cut),
      .packed("attn.c_proj.weight", "attn_o", [64, 64], transposed: transposed),
      .packed("mlp.c_fc.weight", "mlp_up", up, transposed: transposed),
      .packed("mlp.c_proj.weight", "mlp_down", down, transposed: transposed),
    ]) + SyntheticTensor.norm("ln_1", 64, bias: true) + SyntheticTensor.norm("ln_2", 64, bias: true)
  }

  /// Without `transformer.`, as in the published file.
  static let gpt2 = SyntheticFamily(
    "GPT-2", dtype: .f32,
    config: [
      "model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 64,
      "vocab_size": 256,
    ],
    tensors: [
      .packed("wte.weight", "token_embedding", [256, 64]),
      .kept("wpe.weight", "position_embedding", [64, 64]),
    ]
      + .blocks(
        "h",
        gpt2Block(
          transposed: true, qkv: [64, 192], cut: "q 0..<64, k 64..<128, v 128..<192",
          up: [64, 256], down: [256, 64]) + [
            .dropped("attn.bias", "mask_buffer", [1, 1, 64, 64])
          ]) + SyntheticTensor.norm("ln_f", 64, bias: true))

  /// GPT-2's names on linear layers, and one key head.
  static let gptBigCode = SyntheticFamily(
    "GPT-BigCode", dtype: .f32,
    config: [
      "model_type": "gpt_bigcode", "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 64,
      "multi_query": true, "vocab_size": 256,
    ],
    tensors: [
      .packed("transformer.wte.weight", "token_embedding", [256, 64]),
      .kept("transformer.wpe.weight", "position_embedding", [64, 64]),
    ]
      + .blocks(
        "transformer.h",
        gpt2Block(
          transposed: false, qkv: [96, 64], cut: "q 0..<64, k 64..<80, v 80..<96",
          up: [256, 64], down: [64, 256]))
      + SyntheticTensor.norm("transformer.ln_f", 64, bias: true))
}
