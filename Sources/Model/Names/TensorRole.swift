/// What a tensor does in its model. The raw value is shown to people and written to reports.
package enum TensorRole: String, Sendable, CaseIterable {
  // Tables looked up by index.
  case tokenEmbedding = "token_embedding"
  case positionEmbedding = "position_embedding"
  case tokenTypeEmbedding = "token_type_embedding"
  case relativePositionBias = "relative_position_bias"

  // Attention.
  case attnQ = "attn_q"
  case attnK = "attn_k"
  case attnV = "attn_v"
  case attnQKV = "attn_qkv"
  case attnKV = "attn_kv"
  case attnO = "attn_o"
  case attnGate = "attn_gate"
  case attnSinks = "attn_sinks"
  /// Multi-head latent attention: down to the latent (`A`), up to the heads (`B`).
  case attnQA = "attn_q_a"
  case attnQB = "attn_q_b"
  case attnKVA = "attn_kv_a"
  case attnKVB = "attn_kv_b"
  /// Chooses the tokens that sparse attention looks at (DeepSeek V3.2).
  case indexer
  /// Makes one key and value of several tokens (DeepSeek V4).
  case kvCompressor = "kv_compressor"

  // Feed-forward layers: dense, one of many experts, and the expert that every token visits.
  case mlpGate = "mlp_gate"
  case mlpUp = "mlp_up"
  case mlpDown = "mlp_down"
  case mlpGateUp = "mlp_gate_up"
  case expertGate = "expert_gate"
  case expertUp = "expert_up"
  case expertDown = "expert_down"
  case expertGateUp = "expert_gate_up"
  case sharedExpertGate = "shared_expert_gate"
  case sharedExpertUp = "shared_expert_up"
  case sharedExpertDown = "shared_expert_down"
  case sharedExpertGateUp = "shared_expert_gate_up"
  /// Decides which experts see a token, or how much of the shared expert counts.
  case router

  // State-space layers, and what stands in attention's place likewise: gated delta nets, gated
  // recurrences, short convolutions.
  case ssmIn = "ssm_in"
  case ssmX = "ssm_x"
  /// Step sizes, decays and the gates of what a state takes in.
  case ssmDt = "ssm_dt"
  case ssmOut = "ssm_out"
  /// `A_log`, `D` and their like.
  case ssmState = "ssm_state"
  case convolution

  // RWKV.
  case timeMix = "time_mix"
  case lowRankHelper = "low_rank_helper"

  // Ends of the model, and what joins widths inside it.
  case outputHead = "output_head"
  case classifier
  case pooler
  case projection
  /// Weighs parallel streams: hyper-connections, AltUp, the passes of a looped model.
  case streamMixing = "stream_mixing"

  case norm
  case bias
  /// Anything of a vision or audio part.
  case tower
  /// Half of a LoRA pair, also of one that belongs to the model.
  case adapter

  // Not weights.
  case rotaryBuffer = "rotary_buffer"
  case maskBuffer = "mask_buffer"
  case positionIDs = "position_ids"
  /// Scale, zero point or order that belongs to an already quantized weight.
  case quantizationParameter = "quantization_parameter"
  case other
}

extension TensorRole {
  /// Why a tensor of this role is never quantized; nil where it may be.
  package var keepReason: String? {
    switch self {
    case .positionEmbedding: "position table"
    case .tokenTypeEmbedding: "token-type embedding"
    case .relativePositionBias: "relative position bias"
    case .attnSinks: "attention sinks"
    case .router: "router: a small layer that takes discrete decisions"
    case .ssmDt: "step size, decay or gate of a state: small, and errors add up over tokens"
    case .ssmState: "state of a state-space layer: small, and feeds an exponential"
    case .convolution: "convolution"
    case .timeMix: "time-mix vector"
    case .lowRankHelper: "low-rank helper"
    case .streamMixing: "mixes parallel streams: small, and all that follows depends on it"
    case .classifier: "classifier: a small layer that takes discrete decisions"
    case .norm: "norm"
    case .bias: "bias"
    case .tower: "vision or audio part"
    case .adapter: "adapter"
    case .positionIDs: "position numbers"
    case .quantizationParameter: "belongs to an already quantized weight"
    case .tokenEmbedding, .attnQ, .attnK, .attnV, .attnQKV, .attnKV, .attnO, .attnGate, .attnQA,
      .attnQB, .attnKVA, .attnKVB, .indexer, .kvCompressor, .mlpGate, .mlpUp, .mlpDown,
      .mlpGateUp, .expertGate, .expertUp, .expertDown, .expertGateUp, .sharedExpertGate,
      .sharedExpertUp, .sharedExpertDown, .sharedExpertGateUp, .ssmIn, .ssmX, .ssmOut, .outputHead,
      .pooler, .projection, .rotaryBuffer, .maskBuffer, .other:
      nil
    }
  }

  /// Why a tensor of this role is left out of a conversion; nil for all but buffers.
  package var dropReason: String? {
    switch self {
    case .rotaryBuffer: "rotary frequencies: every runtime computes them anew"
    case .maskBuffer: "attention mask: every runtime computes it anew"
    default: nil
    }
  }

  /// Whether this is of one of many experts, of which a token sees few.
  package var isExpert: Bool {
    switch self {
    case .expertGate, .expertUp, .expertDown, .expertGateUp: true
    default: false
    }
  }

  /// Whether it is of several layers at once.
  package var isFused: Bool {
    switch self {
    case .attnQKV, .mlpGateUp, .expertGateUp, .sharedExpertGateUp: true
    default: false
    }
  }

  /// Whether checkpoints may store several matrices of this role as one tensor: those of all experts
  /// of a block, Zamba's, one for each head of a state-space layer, or those of latent attention.
  var isStackable: Bool {
    switch self {
    case .sharedExpertGate, .sharedExpertUp, .sharedExpertDown, .sharedExpertGateUp, .ssmX,
      .attnKVB:
      true
    default: isExpert
    }
  }

  /// What layers with the same inputs have in common: mostly the role of the layer that they make
  /// where they are fused. Nil for a layer that shares its inputs with none.
  package var sharedInput: TensorRole? {
    switch self {
    case .attnQ, .attnK, .attnV, .attnKV: .attnQKV
    case .attnQA, .attnKVA: .attnQA
    case .mlpGate, .mlpUp: .mlpGateUp
    case .sharedExpertGate, .sharedExpertUp: .sharedExpertGateUp
    case .expertGate, .expertUp: .expertGateUp
    default: nil
    }
  }

  /// What layers have in common whose inputs are the same norm's outputs, which SmoothQuant smooths
  /// (arXiv 2211.10438, section 4.2). Nil for other inputs, and for experts, which see some of the tokens.
  package var smoothedInput: TensorRole? {
    switch self {
    case .attnQKV, .mlpGateUp, .sharedExpertGateUp, .ssmIn: self
    default: isExpert ? nil : sharedInput
    }
  }
}
