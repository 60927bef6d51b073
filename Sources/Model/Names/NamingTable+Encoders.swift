// Encoders, and encoders with decoders. As in `NamingTable+Families.swift`.

extension NamingTable {
  /// BERT and RoBERTa.
  static let encoders = [
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

  /// ALBERT, DistilBERT, XLM, DeBERTa, ModernBERT, Nomic BERT and other encoders after BERT.
  static let laterEncoders = [
    // ALBERT; the wider embedding of ELECTRA, Big Bird and RemBERT.
    NamingRule("attention.query", .attnQ),
    NamingRule("albert_layers.*.ffn", .mlpUp),
    NamingRule("ffn_output", .mlpDown),
    NamingRule("embedding_hidden_mapping_in", .projection),
    NamingRule("embeddings_project", .projection),
    NamingRule("predictions.dense", .projection),
    NamingRule("generator_predictions.dense", .projection),
    NamingRule("discriminator_predictions.dense", .projection),
    NamingRule("pooler", .pooler),
    // DistilBERT and XLM.
    NamingRule("q_lin", .attnQ),
    NamingRule("k_lin", .attnK),
    NamingRule("v_lin", .attnV),
    NamingRule("out_lin", .attnO),
    NamingRule("lin1", .mlpUp),
    NamingRule("lin2", .mlpDown),
    NamingRule("vocab_transform", .projection),
    NamingRule("vocab_projector", .outputHead),
    NamingRule("pred_layer.proj", .outputHead),
    NamingRule("lang_embeddings", .tokenTypeEmbedding),
    // DeBERTa, ProphetNet and Marian.
    NamingRule("query_proj", .attnQ),
    NamingRule("key_proj", .attnK),
    NamingRule("value_proj", .attnV),
    NamingRule("rel_embeddings", .relativePositionBias),
    // MPNet, T5 and xLSTM call the projections by one letter.
    NamingRule("q", .attnQ),
    NamingRule("k", .attnK),
    NamingRule("v", .attnV),
    NamingRule("o", .attnO),
    // ModernBERT, whose `Wi` is gate and up projection.
    NamingRule("attn.Wo", .attnO),
    NamingRule("mlp.Wi", .mlpGateUp),
    NamingRule("mlp.Wo", .mlpDown),
    NamingRule("head.dense", .projection),
    // Nomic BERT.
    NamingRule("fc11", .mlpUp),
    NamingRule("fc12", .mlpGate),
    // RoCBert, with tables of how a character sounds and looks.
    NamingRule("pronunciation_embed", .tokenEmbedding),
    NamingRule("shape_embed", .tokenEmbedding),
    NamingRule("map_inputs_layer", .projection),
    // X-MOD, with a small MLP for each language.
    NamingRule("dense1", .projection),
    NamingRule("dense2", .projection),
    // Reformer, where keys may be queries, and the position table is a product of smaller ones.
    NamingRule("self_attention.query", .attnQ),
    NamingRule("self_attention.key", .attnK),
    NamingRule("self_attention.value", .attnV),
    NamingRule("self_attention.query_key", .attnQ),
    NamingRule("feed_forward.dense.dense", .mlpUp),
    NamingRule("position_embeddings.weights.*", .positionEmbedding),
  ]

  /// T5, ProphetNet, XLNet, CPM-Ant.
  static let encoderDecoders = [
    // T5, of which the later versions have a gate.
    NamingRule("^shared", .tokenEmbedding),
    NamingRule("DenseReluDense.wi", .mlpUp),
    NamingRule("DenseReluDense.wi_0", .mlpGate),
    NamingRule("DenseReluDense.wi_1", .mlpUp),
    NamingRule("DenseReluDense.wo", .mlpDown),
    NamingRule("global_relative_attention_bias", .relativePositionBias),
    // ProphetNet, whose streams for the next tokens begin with a vector each.
    NamingRule("decoder.ngram_embeddings", .tokenTypeEmbedding),
    NamingRule("relative_pos_embeddings", .relativePositionBias),
    NamingRule("feed_forward.intermediate", .mlpUp),
    NamingRule("feed_forward.output", .mlpDown),
    // XLNet has parameters `[hidden, heads, width]`: `q`, `k`, `v`, `o` and, for positions, `r`.
    NamingRule("transformer.word_embedding", .tokenEmbedding),
    NamingRule("rel_attn.r", .attnK),
    NamingRule("seg_embed", .tokenTypeEmbedding),
    NamingRule("r_r_bias", .bias),
    NamingRule("r_s_bias", .bias),
    NamingRule("r_w_bias", .bias),
    NamingRule("ff.layer_1", .mlpUp),
    NamingRule("ff.layer_2", .mlpDown),
    // CPM-Ant.
    NamingRule("input_embedding", .tokenEmbedding),
    NamingRule("segment_embedding", .tokenTypeEmbedding),
    NamingRule("project_q", .attnQ),
    NamingRule("project_k", .attnK),
    NamingRule("project_v", .attnV),
    NamingRule("attention_out", .attnO),
    NamingRule("w_in.w_0", .mlpGate),
    NamingRule("w_in.w_1", .mlpUp),
    NamingRule("ffn.w_out", .mlpDown),
  ]
}
