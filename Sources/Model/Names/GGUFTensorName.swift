/// What a tensor is by the name that llama.cpp gives it in GGUF files: `blk.3.attn_q.weight` is the
/// query projection of layer 3.
///
/// Knows weights whose inputs are those of one weight in a checkpoint's own names. The heads of
/// `attn_k_b` and `attn_v_b`, cut from one matrix and one of them transposed, are none, nor are
/// encoders' and decoders' `enc.blk` and `dec.blk`, whose layers have the same numbers.
///
/// One name does not tell all: where gate and up projection are fused (Phi-3, ChatGLM), GGUF calls
/// the pair `ffn_up`.
///
/// Source: ggml-org/llama.cpp, `gguf-py/gguf/constants.py` (`TENSOR_NAMES`) and, for what stands
/// behind each, `tensor_mapping.py`.
package struct GGUFTensorName: Sendable, Equatable {
  package let role: TensorRole
  /// Block index, from 0; nil outside the blocks.
  package let layer: Int?

  /// Nil for a name that is not known to be a weight's.
  package init?(_ name: String) {
    let components = name.split(separator: ".", omittingEmptySubsequences: false)
    guard components.last == "weight" else { return nil }
    if components.first == "blk" {
      guard components.count > 3, let layer = TensorName.index(components[1]),
        let role = Self.role(ofBlockModule: components[2..<(components.count - 1)])
      else { return nil }
      self.role = role
      self.layer = layer
    } else {
      let module = components.dropLast().joined(separator: ".")
      guard let role = Self.modelRoles[module] else { return nil }
      self.role = role
      layer = nil
    }
  }

  private static func role(ofBlockModule path: ArraySlice<Substring>) -> TensorRole? {
    let module = path.joined(separator: ".")
    return blockRoles[module] ?? (path.count == 1 && module.hasSuffix("_norm") ? .norm : nil)
  }

  private static let modelRoles: [String: TensorRole] = [
    "token_embd": .tokenEmbedding,
    "per_layer_token_embd": .tokenEmbedding,
    "position_embd": .positionEmbedding,
    "token_types": .tokenTypeEmbedding,
    "token_embd_norm": .norm,
    "output_norm": .norm,
    "output": .outputHead,
    "cls.output": .classifier,
  ]

  private static let blockRoles: [String: TensorRole] = [
    "attn_q": .attnQ,
    "attn_k": .attnK,
    "attn_v": .attnV,
    "attn_qkv": .attnQKV,
    "attn_output": .attnO,
    "attn_gate": .attnGate,
    "attn_sinks": .attnSinks,
    "attn_q_a": .attnQA,
    "attn_q_b": .attnQB,
    "attn_kv_a_mqa": .attnKVA,
    "attn_kv_b": .attnKVB,
    "ffn_gate": .mlpGate,
    "ffn_up": .mlpUp,
    "ffn_down": .mlpDown,
    "ffn_gate_exps": .expertGate,
    "ffn_up_exps": .expertUp,
    "ffn_down_exps": .expertDown,
    "ffn_gate_up_exps": .expertGateUp,
    "ffn_gate_shexp": .sharedExpertGate,
    "ffn_up_shexp": .sharedExpertUp,
    "ffn_down_shexp": .sharedExpertDown,
    "ffn_gate_inp": .router,
    "ffn_gate_inp_shexp": .router,
    "ssm_in": .ssmIn,
    "ssm_x": .ssmX,
    "ssm_dt": .ssmDt,
    "ssm_out": .ssmOut,
    "ssm_conv1d": .convolution,
    "nextn.eh_proj": .projection,
    "nextn.shared_head_head": .outputHead,
    "nextn.embed_tokens": .tokenEmbedding,
    // RWKV; the receptance stands where the query stands elsewhere.
    "time_mix_receptance": .attnQ,
    "time_mix_key": .attnK,
    "time_mix_value": .attnV,
    "time_mix_gate": .attnGate,
    "time_mix_output": .attnO,
    "channel_mix_receptance": .mlpGate,
    "channel_mix_key": .mlpUp,
    "channel_mix_value": .mlpDown,
  ]
}
