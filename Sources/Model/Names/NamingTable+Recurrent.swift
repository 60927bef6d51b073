// State-space layers and other recurrences. As in `NamingTable+Families.swift`.

extension NamingTable {
  /// Mamba, and Jamba's `mamba` blocks.
  static let stateSpace = [
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
    // Zamba, of which each head has projections of its own; what its blocks share is tuned by pairs.
    NamingRule("mamba.x_proj_weight", .ssmX),
    NamingRule("mamba.dt_proj_weight", .ssmDt),
    NamingRule("mamba.dt_proj_bias", .bias),
    NamingRule("layers.*.linear", .projection),
    NamingRule("gate_up_proj_adapter_list.*.*", .adapter),
    NamingRule("linear_q_adapter_list.*.*", .adapter),
    NamingRule("linear_k_adapter_list.*.*", .adapter),
    NamingRule("linear_v_adapter_list.*.*", .adapter),
    // PLaMo 2, with norms that are bare parameters.
    NamingRule("bcdt_proj", .ssmX),
    NamingRule("mixer.q_weight", .norm),
    NamingRule("mixer.k_weight", .norm),
  ]

  /// What else stands in attention's place: gated delta nets (Qwen3-Next, Qwen3.5, OLMo Hybrid, Kimi
  /// Linear, Ling), short convolutions (LFM2), gated recurrences (RecurrentGemma), xLSTM, lightning
  /// attention (MiniMax-Text).
  static let deltaNets = [
    // Queries, keys, values, and a gate of the output; `b` says how much a state takes in, `a` how much
    // of it stays.
    NamingRule("linear_attn.in_proj", .ssmIn),
    NamingRule("linear_attn.in_proj_qkv", .ssmIn),
    NamingRule("linear_attn.in_proj_qkvz", .ssmIn),
    NamingRule("linear_attn.in_proj_z", .attnGate),
    NamingRule("linear_attn.in_proj_a", .ssmDt),
    NamingRule("linear_attn.in_proj_b", .ssmDt),
    NamingRule("linear_attn.in_proj_ba", .ssmDt),
    NamingRule("linear_attn.out_proj", .ssmOut),
    NamingRule("linear_attn.g_proj", .attnGate),
    NamingRule("a_proj", .ssmDt),
    NamingRule("b_proj", .ssmDt),
    // Kimi and Ling make the decay of every channel; Kimi in two steps, as it makes its gate.
    NamingRule("f_proj", .ssmDt),
    NamingRule("f_a_proj", .ssmDt),
    NamingRule("f_b_proj", .ssmDt),
    NamingRule("g_a_proj", .attnGate),
    NamingRule("g_b_proj", .attnGate),
    // LFM2 and LFM3.
    NamingRule("conv.in_proj", .ssmIn),
    NamingRule("conv.out_proj", .ssmOut),
    // RecurrentGemma: the recurrence, its gates in blocks, and the branch that gates its output.
    NamingRule("temporal_block.linear_x", .ssmIn),
    NamingRule("temporal_block.linear_y", .attnGate),
    NamingRule("temporal_block.linear_out", .ssmOut),
    NamingRule("rg_lru.input_gate_weight", .ssmDt),
    NamingRule("rg_lru.recurrent_gate_weight", .ssmDt),
    NamingRule("rg_lru.input_gate_bias", .bias),
    NamingRule("rg_lru.recurrent_gate_bias", .bias),
    NamingRule("rg_lru.recurrent_param", .ssmState),
    // xLSTM.
    NamingRule("igate_preact", .ssmDt),
    NamingRule("fgate_preact", .ssmDt),
    NamingRule("ogate_preact", .attnGate),
    NamingRule("mlstm_layer.out_proj", .ssmOut),
    NamingRule("ffn.proj_up_gate", .mlpGate),
    NamingRule("ffn.proj_up", .mlpUp),
    NamingRule("ffn.proj_down", .mlpDown),
    // MiniMax-Text: tables of decays.
    NamingRule("slope_rate", .ssmState),
    NamingRule("query_decay", .ssmState),
    NamingRule("key_decay", .ssmState),
    NamingRule("diagonal_decay", .ssmState),
  ]

  /// RWKV-4 (`rwkv.blocks.N`) and RWKV-7 (`model.layers.N`, flash-linear-attention). The receptance
  /// stands where the query stands elsewhere, and gates the feed-forward layer.
  static let rwkv = [
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
}
