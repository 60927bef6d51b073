// To add a family, add a section with the names that the sections above it lack. Only the end of a
// module's path is written, as short as is unambiguous; the prefix (`model.layers.3.`,
// `language_model.`, `transformer.h.3.`) does not matter. What follows a family's name is where its
// names come from; the families without a remark are as in Hugging Face transformers,
// `models/<model_type>/modeling_<model_type>.py`.
//
// Norms, convolutions, biases, quantization parameters and vision or audio parts have names that
// follow a rule rather than a list; `TensorNaming` knows them, and this table overrides it.

extension NamingTable {
  /// The names of all families that are known.
  static let families = NamingTable(
    llamaLike + mixtureOfExperts + latentAttention + fusedDecoders + gpt2Like + encoders
      + stateSpace + rwkv + others)

  /// LLaMA, Mistral, Qwen2, Qwen3, Gemma, StableLM, Phi, Cohere, SmolLM, OPT.
  private static let llamaLike = [
    NamingRule("embed_tokens", .tokenEmbedding),
    NamingRule("embed_tokens_per_layer", .tokenEmbedding),
    NamingRule("q_proj", .attnQ),
    NamingRule("k_proj", .attnK),
    NamingRule("v_proj", .attnV),
    NamingRule("o_proj", .attnO),
    NamingRule("out_proj", .attnO),
    NamingRule("gate_proj", .mlpGate),
    NamingRule("up_proj", .mlpUp),
    NamingRule("down_proj", .mlpDown),
    NamingRule("lm_head", .outputHead),
    NamingRule("score", .classifier),
    // Phi-3 fuses; Phi-1 and Phi-2 have a plain two-layer MLP, as OPT has.
    NamingRule("qkv_proj", .attnQKV),
    NamingRule("gate_up_proj", .mlpGateUp),
    NamingRule("self_attn.dense", .attnO),
    NamingRule("fc1", .mlpUp),
    NamingRule("fc2", .mlpDown),
    // OPT.
    NamingRule("embed_positions", .positionEmbedding),
    NamingRule("project_in", .projection),
    NamingRule("project_out", .projection),
    // LLaMA and Mistral as their authors publish them (`consolidated.safetensors`).
    NamingRule("tok_embeddings", .tokenEmbedding),
    NamingRule("attention.wq", .attnQ),
    NamingRule("attention.wk", .attnK),
    NamingRule("attention.wv", .attnV),
    NamingRule("attention.wo", .attnO),
    NamingRule("feed_forward.w1", .mlpGate),
    NamingRule("feed_forward.w2", .mlpDown),
    NamingRule("feed_forward.w3", .mlpUp),
    NamingRule("^output", .outputHead),
  ]

  /// Mixtral, Qwen2-MoE, Qwen3-MoE, DeepSeek, Jamba, Llama 4, gpt-oss.
  private static let mixtureOfExperts = [
    NamingRule("experts.*.gate_proj", .expertGate),
    NamingRule("experts.*.up_proj", .expertUp),
    NamingRule("experts.*.down_proj", .expertDown),
    NamingRule("experts.*.w1", .expertGate),
    NamingRule("experts.*.w3", .expertUp),
    NamingRule("experts.*.w2", .expertDown),
    // One tensor for all experts; `switch_mlp` is how mlx-lm writes it.
    NamingRule("experts.gate_up_proj", .expertGateUp),
    NamingRule("experts.gate_proj", .expertGate),
    NamingRule("experts.up_proj", .expertUp),
    NamingRule("experts.down_proj", .expertDown),
    NamingRule("switch_mlp.gate_proj", .expertGate),
    NamingRule("switch_mlp.up_proj", .expertUp),
    NamingRule("switch_mlp.down_proj", .expertDown),
    NamingRule("shared_expert.gate_proj", .sharedExpertGate),
    NamingRule("shared_expert.up_proj", .sharedExpertUp),
    NamingRule("shared_expert.down_proj", .sharedExpertDown),
    NamingRule("shared_experts.gate_proj", .sharedExpertGate),
    NamingRule("shared_experts.up_proj", .sharedExpertUp),
    NamingRule("shared_experts.down_proj", .sharedExpertDown),
    NamingRule("shared_experts.gate_up_proj", .sharedExpertGateUp),
    NamingRule("gate", .router),
    NamingRule("gate.wg", .router),
    NamingRule("router", .router),
    NamingRule("router.layer", .router),
    NamingRule("shared_expert_gate", .router),
    NamingRule("e_score_correction_bias", .router),
    NamingRule("sinks", .attnSinks),
  ]

  /// DeepSeek V2 and V3, with the extra block that predicts a second token.
  private static let latentAttention = [
    NamingRule("q_a_proj", .attnQA),
    NamingRule("q_b_proj", .attnQB),
    NamingRule("kv_a_proj_with_mqa", .attnKVA),
    NamingRule("kv_b_proj", .attnKVB),
    NamingRule("eh_proj", .projection),
    NamingRule("shared_head.head", .outputHead),
  ]

  /// Falcon, Bloom, GPT-NeoX, ChatGLM, MPT.
  private static let fusedDecoders = [
    NamingRule("word_embeddings", .tokenEmbedding),
    NamingRule("query_key_value", .attnQKV),
    NamingRule("self_attention.dense", .attnO),
    NamingRule("attention.dense", .attnO),
    NamingRule("dense_h_to_4h", .mlpUp),
    NamingRule("dense_4h_to_h", .mlpDown),
    // GPT-NeoX.
    NamingRule("embed_in", .tokenEmbedding),
    NamingRule("embed_out", .outputHead),
    // ChatGLM2 and ChatGLM3 (THUDM, `modeling_chatglm.py`); the first ChatGLM has no gate.
    NamingRule("encoder.layers.*.mlp.dense_h_to_4h", .mlpGateUp),
    NamingRule("output_layer", .outputHead),
    // MPT; its attention ends in `out_proj`, its `ffn` in `down_proj`.
    NamingRule("Wqkv", .attnQKV),
  ]

  /// GPT-2, GPT-BigCode, GPT-J, GPT-Neo.
  private static let gpt2Like = [
    NamingRule("wte", .tokenEmbedding),
    NamingRule("wpe", .positionEmbedding),
    NamingRule("c_attn", .attnQKV),
    NamingRule("attn.c_proj", .attnO),
    NamingRule("c_fc", .mlpUp),
    NamingRule("mlp.c_proj", .mlpDown),
    NamingRule("fc_in", .mlpUp),
    NamingRule("fc_out", .mlpDown),
  ]

  /// BERT and RoBERTa.
  private static let encoders = [
    NamingRule("position_embeddings", .positionEmbedding),
    NamingRule("token_type_embeddings", .tokenTypeEmbedding),
    NamingRule("position_ids", .positionIDs),
    NamingRule("relative_attention_bias", .relativePositionBias),
    NamingRule("self.query", .attnQ),
    NamingRule("self.key", .attnK),
    NamingRule("self.value", .attnV),
    NamingRule("attention.output.dense", .attnO),
    NamingRule("intermediate.dense", .mlpUp),
    NamingRule("output.dense", .mlpDown),
    NamingRule("pooler.dense", .pooler),
    NamingRule("predictions.transform.dense", .projection),
    NamingRule("predictions.decoder", .outputHead),
    NamingRule("lm_head.dense", .projection),
    NamingRule("lm_head.decoder", .outputHead),
    NamingRule("classifier", .classifier),
    NamingRule("classifier.dense", .projection),
    NamingRule("classifier.out_proj", .classifier),
    NamingRule("seq_relationship", .classifier),
  ]

  /// Mamba, and Jamba's `mamba` blocks.
  private static let stateSpace = [
    NamingRule("embeddings", .tokenEmbedding),
    NamingRule("backbone.embedding", .tokenEmbedding),
    NamingRule("mixer.in_proj", .ssmIn),
    NamingRule("mamba.in_proj", .ssmIn),
    NamingRule("x_proj", .ssmX),
    NamingRule("dt_proj", .ssmDt),
    NamingRule("layers.*.mixer.out_proj", .ssmOut),
    NamingRule("mamba.out_proj", .ssmOut),
    NamingRule("A_log", .ssmState),
    NamingRule("D", .ssmState),
    NamingRule("dt_bias", .ssmState),
  ]

  /// RWKV-4 (`rwkv.blocks.N`) and RWKV-7 (`model.layers.N`, flash-linear-attention). The receptance
  /// stands where the query stands elsewhere, and gates the feed-forward layer.
  private static let rwkv = [
    NamingRule("attention.receptance", .attnQ),
    NamingRule("attention.key", .attnK),
    NamingRule("attention.value", .attnV),
    NamingRule("attention.gate", .attnGate),
    NamingRule("attention.output", .attnO),
    NamingRule("feed_forward.receptance", .mlpGate),
    NamingRule("feed_forward.key", .mlpUp),
    NamingRule("feed_forward.value", .mlpDown),
    NamingRule("^head", .outputHead),
    NamingRule("r_proj", .attnQ),
    NamingRule("ffn.key", .mlpUp),
    NamingRule("ffn.value", .mlpDown),
    NamingRule("w_lora.lora.*", .lowRankHelper),
    NamingRule("a_lora.lora.*", .lowRankHelper),
    NamingRule("v_lora.lora.*", .lowRankHelper),
    NamingRule("g_lora.lora.*", .lowRankHelper),
    NamingRule("time_decay", .timeMix),
    NamingRule("time_first", .timeMix),
    NamingRule("time_mix_key", .timeMix),
    NamingRule("time_mix_value", .timeMix),
    NamingRule("time_mix_receptance", .timeMix),
    NamingRule("x_r", .timeMix),
    NamingRule("x_w", .timeMix),
    NamingRule("x_k", .timeMix),
    NamingRule("x_v", .timeMix),
    NamingRule("x_a", .timeMix),
    NamingRule("x_g", .timeMix),
    NamingRule("k_k", .timeMix),
    NamingRule("k_a", .timeMix),
    NamingRule("r_k", .timeMix),
  ]

  /// Names that no one family owns.
  private static let others = [
    NamingRule("rotary_emb.inv_freq", .rotaryBuffer),
    NamingRule("rotary_pos_emb.inv_freq", .rotaryBuffer),
    NamingRule("lora_A", .adapter),
    NamingRule("lora_B", .adapter),
    NamingRule("lora_A.default", .adapter),
    NamingRule("lora_B.default", .adapter),
  ]
}
