import Formats

// Mixtures of two experts that are stored together under names of their own. Which dimension is the
// inputs' is read off the models' code: `x @ w` or `x @ w.T`.

extension SyntheticFamily {
  static let stacks = [granite, jetMoe, aria, dbrx, step]

  /// `[experts, 2 * inner, hidden]` and `[experts, hidden, inner]`, beside a dense part.
  static let granite = SyntheticFamily(
    "Granite MoE", dtype: .bf16,
    config: [
      "model_type": "granitemoeshared", "hidden_size": 64, "intermediate_size": 96,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
      "num_local_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureAttention + mixtureNorms + [
          .kept("block_sparse_moe.router.layer.weight", "router", [2, 64]),
          .packed(
            "block_sparse_moe.input_linear.weight", "expert_gate_up", [2, 192, 64],
            cut: "gate 0..<96, up 96..<192"),
          .packed("block_sparse_moe.output_linear.weight", "expert_down", [2, 64, 96]),
          .packed(
            "shared_mlp.input_linear.weight", "shared_expert_gate_up", [128, 64],
            cut: "gate 0..<64, up 64..<128"),
          .packed("shared_mlp.output_linear.weight", "shared_expert_down", [64, 64]),
        ]) + SyntheticTensor.norm("model.norm", 64))

  /// Its attention has experts too, which share their keys and values.
  static let jetMoe = SyntheticFamily(
    "JetMoe", dtype: .bf16,
    config: [
      "model_type": "jetmoe", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "num_local_experts": 2,
      "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureNorms + [
          .kept("mlp.router.layer.weight", "router", [2, 64]),
          .packed(
            "mlp.input_linear.weight", "expert_gate_up", [2, 192, 64],
            cut: "gate 0..<96, up 96..<192"),
          .packed("mlp.output_linear.weight", "expert_down", [2, 64, 96]),
          .kept("mlp.bias", "bias", [64]),
          .kept("self_attention.experts.router.layer.weight", "router", [2, 64]),
          .packed("self_attention.experts.input_linear.weight", "expert_up", [2, 32, 64]),
          .packed("self_attention.experts.output_linear.weight", "expert_down", [2, 64, 32]),
          .packed(
            "self_attention.kv_proj.weight", "attn_kv", [128, 64], cut: "k 0..<64, v 64..<128"),
        ]) + SyntheticTensor.norm("model.norm", 64))

  /// `[experts, hidden, 2 * inner]` and `[experts, inner, hidden]`, the second of them square.
  static let aria = SyntheticFamily(
    "Aria", dtype: .bf16,
    config: [
      "model_type": "aria_text", "hidden_size": 64, "intermediate_size": 64,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
      "moe_num_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureAttention + mixtureNorms + [
          .kept("mlp.router.weight", "router", [2, 64]),
          .packed(
            "mlp.experts.fc1.weight", "expert_gate_up", [2, 64, 128], transposed: true,
            cut: "gate 0..<64, up 64..<128"),
          .packed("mlp.experts.fc2.weight", "expert_down", [2, 64, 64], transposed: true),
          .packed("mlp.shared_experts.gate_proj.weight", "shared_expert_gate", [96, 64]),
          .packed("mlp.shared_experts.up_proj.weight", "shared_expert_up", [96, 64]),
          .packed("mlp.shared_experts.down_proj.weight", "shared_expert_down", [64, 96]),
        ]) + SyntheticTensor.norm("model.norm", 64))

  /// `[experts * inner, hidden]` all three, of which `w2` is multiplied from the left.
  static let dbrx = SyntheticFamily(
    "DBRX", dtype: .bf16,
    config: [
      "model_type": "dbrx", "d_model": 64, "n_heads": 2, "n_layers": 2, "vocab_size": 256,
      "attn_config": ["kv_n_heads": 1],
      "ffn_config": ["ffn_hidden_size": 96, "moe_num_experts": 2, "moe_top_k": 1],
    ],
    tensors: [
      .packed("transformer.wte.weight", "token_embedding", [256, 64]),
      .packed("lm_head.weight", "output_head", [256, 64]),
    ]
      + .blocks(
        "transformer.blocks",
        [
          .packed(
            "norm_attn_norm.attn.Wqkv.weight", "attn_qkv", [128, 64],
            cut: "q 0..<64, k 64..<96, v 96..<128"),
          .packed("norm_attn_norm.attn.out_proj.weight", "attn_o", [64, 64]),
          .kept("ffn.router.layer.weight", "router", [2, 64]),
          .packed("ffn.experts.mlp.w1", "expert_gate", [192, 64]),
          .packed("ffn.experts.mlp.v1", "expert_up", [192, 64]),
          .packed("ffn.experts.mlp.w2", "expert_down", [192, 64], transposed: true),
        ] + SyntheticTensor.norm("norm_attn_norm.norm_1", 64)
          + SyntheticTensor.norm("norm_attn_norm.norm_2", 64))
      + SyntheticTensor.norm("transformer.norm_f", 64))

  static let step = SyntheticFamily(
    "Step 3.5", dtype: .bf16,
    config: [
      "model_type": "step3p5", "hidden_size": 64, "intermediate_size": 128,
      "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
      "moe_num_experts": 2, "vocab_size": 256,
    ],
    tensors: mixtureEnds()
      + .blocks(
        "model.layers",
        mixtureAttention + mixtureNorms + [
          .packed("self_attn.g_proj.weight", "attn_gate", [2, 64]),
          .kept("moe.gate.weight", "router", [2, 64]),
          .kept("moe.router_bias", "router", [2]),
          .packed("moe.gate_proj.weight", "expert_gate", [2, 96, 64]),
          .packed("moe.up_proj.weight", "expert_up", [2, 96, 64]),
          .packed("moe.down_proj.weight", "expert_down", [2, 64, 96]),
          .packed("share_expert.gate_proj.weight", "shared_expert_gate", [96, 64]),
          .packed("share_expert.up_proj.weight", "shared_expert_up", [96, 64]),
          .packed("share_expert.down_proj.weight", "shared_expert_down", [64, 96]),
        ]) + SyntheticTensor.norm("model.norm", 64))
}
