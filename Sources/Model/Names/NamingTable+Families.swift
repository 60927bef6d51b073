// To add a family, add a section, here or in one of the files beside this one, with the names that
// the other sections lack. Only the end of a
// module's path is written, as short as is unambiguous; the prefix (`model.layers.3.`,
// `language_model.`, `transformer.h.3.`) does not matter. What follows a family's name is where its
// names come from; the families without a remark are as in Hugging Face transformers,
// `models/<model_type>/modeling_<model_type>.py`.
//
// Norms, convolutions, biases, quantization parameters and vision or audio parts have names that
// follow a rule rather than a list; `TensorNaming` knows them. This table overrides it, but for the
// vision and audio parts.

extension NamingTable {
  /// The names of all families that are known.
  static let families = NamingTable(
    llamaLike + gemma3n + hyperConnections + latentAttention + inkling + mixtureOfExperts
      + fusedDecoders + gpt2Like + encoders + laterEncoders + encoderDecoders + stateSpace
      + deltaNets + rwkv + others)

  /// LLaMA, Mistral, Qwen2, Qwen3, Gemma, StableLM, Phi, Cohere, SmolLM, OPT.
  static let llamaLike = [
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
    // Gates of what attention gives: AFMoE, Beam, LFM3, Laguna, Step 3.5, MiniMax-Text and others.
    NamingRule("self_attn.gate_proj", .attnGate),
    NamingRule("self_attn.g_proj", .attnGate),
    NamingRule("attention.g_proj", .attnGate),
    NamingRule("self_attn.output_gate", .attnGate),
    // Hunyuan 4 names its gates apart.
    NamingRule("self_attn.linear_gate", .attnGate),
    NamingRule("mlp.linear_gate", .mlpGate),
    // InternLM2, its keys and values with the queries that share them; Baichuan.
    NamingRule("attention.wqkv", .attnQKV),
    NamingRule("W_pack", .attnQKV),
    // Layers that are wrapped: Moshi; the head of Phixtral, which is also Phi-2.
    NamingRule("q_proj.linear", .attnQ),
    NamingRule("k_proj.linear", .attnK),
    NamingRule("v_proj.linear", .attnV),
    NamingRule("o_proj.linear", .attnO),
    NamingRule("lm_head.linear", .outputHead),
    // AFM (mlx-lm, `afm7.py`); Inkling and Talkie.
    NamingRule("model.embedding", .tokenEmbedding),
    NamingRule("embed", .tokenEmbedding),
    NamingRule("unembed", .outputHead),
    // Llama-Nemotron puts one matrix where a block had attention or an MLP.
    NamingRule("mlp.linear", .projection),
    NamingRule("self_attn.linear", .projection),
    // Multi-token prediction of Qwen3-Next and Qwen3.5; assistants of Gemma 4.
    NamingRule("mtp.fc", .projection),
    NamingRule("pre_projection", .projection),
    NamingRule("post_projection", .projection),
    // The loops of IQuest-Coder are weighed head by head (mlx-lm, `iquestloopcoder.py`).
    NamingRule("gate_projections.*", .streamMixing),
    // HRM-Text: gate, queries, keys, values.
    NamingRule("gqkv_proj", .attnQKV),
  ]

  /// Gemma 3n and Gemma 4: what each layer gets of the token besides the stream, AltUp, LAuReL.
  static let gemma3n = [
    NamingRule("per_layer_model_projection", .projection),
    NamingRule("per_layer_input_gate", .projection),
    NamingRule("per_layer_projection", .projection),
    NamingRule("altup_projections.*", .projection),
    NamingRule("altup_unembed_projections.*", .projection),
    NamingRule("altup.modality_router", .router),
    NamingRule("altup.prediction_coefs", .streamMixing),
    NamingRule("altup.correction_coefs", .streamMixing),
    NamingRule("laurel.linear_left", .projection),
    NamingRule("laurel.linear_right", .projection),
  ]

  /// Hyper-connections of DeepSeek V4 and Hunyuan 4.
  static let hyperConnections = [
    NamingRule("hc_attn_fn", .streamMixing),
    NamingRule("hc_ffn_fn", .streamMixing),
    NamingRule("hc_head_fn", .streamMixing),
    NamingRule("hc_fn", .streamMixing),
  ]

  /// DeepSeek V2 and V3, with the extra block that predicts a second token.
  static let latentAttention = [
    NamingRule("q_a_proj", .attnQA),
    NamingRule("q_b_proj", .attnQB),
    NamingRule("kv_a_proj_with_mqa", .attnKVA),
    NamingRule("kv_b_proj", .attnKVB),
    // As mlx-lm multiplies it: a matrix for each head.
    NamingRule("embed_q", .attnKVB),
    NamingRule("unembed_out", .attnKVB),
    NamingRule("eh_proj", .projection),
    NamingRule("shared_head.head", .outputHead),
    // Sparse attention: DeepSeek V3.2, GLM-MoE-DSA, Hunyuan 4.
    NamingRule("indexer.wq_b", .indexer),
    NamingRule("indexer.wk", .indexer),
    NamingRule("indexer.weights_proj", .indexer),
    // DeepSeek V4: one vector is both key and value, and the output goes through groups.
    NamingRule("attn.wq_a", .attnQA),
    NamingRule("attn.wq_b", .attnQB),
    NamingRule("attn.wkv", .attnKVA),
    NamingRule("attn.wo_a", .attnO),
    NamingRule("attn.wo_b", .attnO),
    NamingRule("compressor.wkv", .kvCompressor),
    NamingRule("compressor.wgate", .kvCompressor),
    NamingRule("compressor.ape", .positionEmbedding),
    // The low-rank gates of A.X K2 stand in its norms.
    NamingRule("input_layernorm.W_down", .lowRankHelper),
    NamingRule("input_layernorm.W_up", .lowRankHelper),
    NamingRule("post_attention_layernorm.W_down", .lowRankHelper),
    NamingRule("post_attention_layernorm.W_up", .lowRankHelper),
  ]

  /// Inkling, as its authors publish it (transformers, `conversion_mapping.py`) and as transformers
  /// writes it.
  static let inkling = [
    NamingRule("attn.wq_du", .attnQ),
    NamingRule("attn.wk_dv", .attnK),
    NamingRule("attn.wv_dv", .attnV),
    NamingRule("attn.wo_ud", .attnO),
    NamingRule("attn.gate_attn", .attnGate),
    NamingRule("attn.attn_sink_proj", .attnSinks),
    // Queries of their own for relative positions.
    NamingRule("attn.wr_du", .attnQ),
    NamingRule("rel_logits_proj.proj", .relativePositionBias),
    NamingRule("q_l2_clip.scale", .norm),
    NamingRule("rel_l2_clip.scale", .norm),
  ]

  /// Falcon, Bloom, GPT-NeoX, ChatGLM, MPT.
  static let fusedDecoders = [
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
  static let gpt2Like = [
    NamingRule("wte", .tokenEmbedding),
    NamingRule("wpe", .positionEmbedding),
    NamingRule("c_attn", .attnQKV),
    NamingRule("attn.c_proj", .attnO),
    NamingRule("c_fc", .mlpUp),
    NamingRule("mlp.c_proj", .mlpDown),
    NamingRule("fc_in", .mlpUp),
    NamingRule("fc_out", .mlpDown),
    // The first GPT, which calls its tables otherwise.
    NamingRule("tokens_embed", .tokenEmbedding),
    NamingRule("positions_embed", .positionEmbedding),
    // EXAONE 3 gates its MLP, as does the first Qwen, whose `w1` goes past the activation.
    NamingRule("c_fc_0", .mlpGate),
    NamingRule("c_fc_1", .mlpUp),
    NamingRule("mlp.w1", .mlpUp),
    NamingRule("mlp.w2", .mlpGate),
    // Nanochat.
    NamingRule("c_q", .attnQ),
    NamingRule("c_k", .attnK),
    NamingRule("c_v", .attnV),
    // OpenELM.
    NamingRule("token_embeddings", .tokenEmbedding),
    NamingRule("ffn.proj_1", .mlpGateUp),
    NamingRule("ffn.proj_2", .mlpDown),
    // Talkie (mlx-lm, `talkie.py`).
    NamingRule("attn_query", .attnQ),
    NamingRule("attn_key", .attnK),
    NamingRule("attn_value", .attnV),
    NamingRule("attn_resid", .attnO),
    NamingRule("mlp_gate", .mlpGate),
    NamingRule("mlp_linear", .mlpUp),
    NamingRule("mlp_resid", .mlpDown),
    // CTRL, whose feed-forward layer is a list.
    NamingRule("^transformer.w", .tokenEmbedding),
    NamingRule("multi_head_attention.Wq", .attnQ),
    NamingRule("multi_head_attention.Wk", .attnK),
    NamingRule("multi_head_attention.Wv", .attnV),
    NamingRule("multi_head_attention.dense", .attnO),
    NamingRule("ffn.0", .mlpUp),
    NamingRule("ffn.2", .mlpDown),
    // Zaya makes half of each value from the token before.
    NamingRule("v_proj_current", .attnV),
    NamingRule("v_proj_delayed", .attnV),
  ]

  /// Names that no one family owns.
  static let others = [
    NamingRule("rotary_emb.inv_freq", .rotaryBuffer),
    NamingRule("rotary_pos_emb.inv_freq", .rotaryBuffer),
    NamingRule("lora_A", .adapter),
    NamingRule("lora_B", .adapter),
    NamingRule("lora_A.default", .adapter),
    NamingRule("lora_B.default", .adapter),
  ]
}
