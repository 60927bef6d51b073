import Model
import Testing

@Suite struct GGUFTensorNameTests {
  /// Names as gguf-py's `TENSOR_NAMES` has them; roles by what its `tensor_mapping.py` puts there.
  @Test(arguments: [
    ("blk.3.attn_q.weight", TensorRole.attnQ, Int?(3)),
    ("blk.0.attn_k.weight", .attnK, 0),
    ("blk.0.attn_v.weight", .attnV, 0),
    ("blk.0.attn_qkv.weight", .attnQKV, 0),
    ("blk.127.attn_output.weight", .attnO, 127),
    ("blk.0.attn_gate.weight", .attnGate, 0),
    ("blk.0.attn_sinks.weight", .attnSinks, 0),
    ("blk.0.attn_q_a.weight", .attnQA, 0),
    ("blk.0.attn_q_b.weight", .attnQB, 0),
    ("blk.0.attn_kv_a_mqa.weight", .attnKVA, 0),
    ("blk.0.attn_kv_b.weight", .attnKVB, 0),
    ("blk.0.ffn_gate.weight", .mlpGate, 0),
    ("blk.0.ffn_up.weight", .mlpUp, 0),
    ("blk.0.ffn_down.weight", .mlpDown, 0),
    ("blk.0.ffn_gate_exps.weight", .expertGate, 0),
    ("blk.0.ffn_up_exps.weight", .expertUp, 0),
    ("blk.0.ffn_down_exps.weight", .expertDown, 0),
    ("blk.0.ffn_gate_up_exps.weight", .expertGateUp, 0),
    ("blk.0.ffn_gate_shexp.weight", .sharedExpertGate, 0),
    ("blk.0.ffn_up_shexp.weight", .sharedExpertUp, 0),
    ("blk.0.ffn_down_shexp.weight", .sharedExpertDown, 0),
    ("blk.0.ffn_gate_inp.weight", .router, 0),
    ("blk.0.ffn_gate_inp_shexp.weight", .router, 0),
    ("blk.0.ssm_in.weight", .ssmIn, 0),
    ("blk.0.ssm_x.weight", .ssmX, 0),
    ("blk.0.ssm_dt.weight", .ssmDt, 0),
    ("blk.0.ssm_out.weight", .ssmOut, 0),
    ("blk.0.ssm_conv1d.weight", .convolution, 0),
    ("blk.61.nextn.eh_proj.weight", .projection, 61),
    ("blk.61.nextn.shared_head_head.weight", .outputHead, 61),
    ("blk.61.nextn.embed_tokens.weight", .tokenEmbedding, 61),
    ("blk.0.time_mix_receptance.weight", .attnQ, 0),
    ("blk.0.time_mix_key.weight", .attnK, 0),
    ("blk.0.time_mix_value.weight", .attnV, 0),
    ("blk.0.time_mix_gate.weight", .attnGate, 0),
    ("blk.0.time_mix_output.weight", .attnO, 0),
    ("blk.0.channel_mix_receptance.weight", .mlpGate, 0),
    ("blk.0.channel_mix_key.weight", .mlpUp, 0),
    ("blk.0.channel_mix_value.weight", .mlpDown, 0),
    ("blk.0.attn_norm.weight", .norm, 0),
    ("blk.0.attn_q_norm.weight", .norm, 0),
    ("blk.0.post_ffw_norm.weight", .norm, 0),
    ("token_embd.weight", .tokenEmbedding, nil),
    ("per_layer_token_embd.weight", .tokenEmbedding, nil),
    ("position_embd.weight", .positionEmbedding, nil),
    ("token_types.weight", .tokenTypeEmbedding, nil),
    ("token_embd_norm.weight", .norm, nil),
    ("output_norm.weight", .norm, nil),
    ("output.weight", .outputHead, nil),
    ("cls.output.weight", .classifier, nil),
  ])
  func aKnownNameHasARole(_ name: String, _ role: TensorRole, _ layer: Int?) throws {
    let known = try #require(GGUFTensorName(name))
    #expect(known.role == role)
    #expect(known.layer == layer)
  }

  @Test(arguments: [
    // No weight, or one that no tensor of a checkpoint stands for.
    "blk.0.attn_q.bias", "blk.0.attn_q", "rope_freqs.weight", "blk.0.attn_k_b.weight",
    "blk.0.attn_v_b.weight", "blk.0.indexer.k_norm.weight", "blk.0.exp_probs_b.bias",
    // In the other part of the model.
    "attn_q.weight", "blk.0.output.weight", "blk.0.token_embd.weight", "enc.blk.0.attn_q.weight",
    "dec.blk.0.attn_q.weight", "v.blk.0.attn_q.weight",
    // Not GGUF's, or not well formed.
    "model.layers.0.self_attn.q_proj.weight", "", ".", "weight", ".weight", "blk.weight",
    "blk.0.weight", "blk..attn_q.weight", "blk.x.attn_q.weight", "blk.-1.attn_q.weight",
    "blk.+1.attn_q.weight", "blk.99999999999999999999.attn_q.weight", "blk.0..attn_q.weight",
    "blk.0.attn_q..weight", "blk.0.attn_q.weight.weight", "blk.0.ffn_gate.1.weight",
    "BLK.0.attn_q.weight", " blk.0.attn_q.weight",
  ])
  func anotherNameHasNone(_ name: String) {
    #expect(GGUFTensorName(name) == nil)
  }
}
