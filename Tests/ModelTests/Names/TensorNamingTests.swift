import Formats
import Model
import TestModels
import Testing

@Suite struct TensorNamingTests {
  @Test(arguments: SyntheticFamily.all)
  func everyTensorOfAFamilyIsRecognised(_ family: SyntheticFamily) {
    let naming = TensorNaming(config: ModelConfig(document: family.config))
    for tensor in family.tensors {
      expect(naming.identify(tensor), is: tensor)
      #expect(naming.identify(tensor).fusedRows?.description == tensor.cut, "\(tensor.name)")
    }
  }

  /// Fused rows need a configuration; all else is told by the names and shapes of a checkpoint.
  @Test(arguments: SyntheticFamily.all)
  func everyTensorIsRecognisedWithoutAConfiguration(_ family: SyntheticFamily) {
    let naming = TensorNaming(config: nil, tensors: family.tensors.map { ($0.name, $0.shape) })
    for tensor in family.tensors { expect(naming.identify(tensor), is: tensor) }
  }

  private func expect(_ identity: TensorIdentity, is tensor: SyntheticTensor) {
    #expect(identity.role.rawValue == tensor.role, "\(tensor.name)")
    #expect(identity.treatment.outcome == tensor.outcome, "\(tensor.name)")
    #expect(identity.layer == tensor.layer, "\(tensor.name)")
    #expect(identity.expert == tensor.expert, "\(tensor.name)")
    #expect(identity.order == tensor.order, "\(tensor.name)")
  }

  @Test(arguments: [
    ("lm_head.weight", [8, 8], QuantizedKind.linear),
    ("model.embed_tokens.weight", [8, 8], .embedding),
    ("model.layers.0.mlp.experts.down_proj", [2, 8, 8], .expertStack),
    ("model.layers.0.mlp.switch_mlp.up_proj.weight", [2, 8, 8], .expertStack),
    ("model.layers.0.mlp.experts.1.up_proj.weight", [8, 8], .linear),
    ("blocks.0.something.new.weight", [8, 8], .linear),
  ])
  func aPackedTensorHasAKind(_ name: String, _ shape: [Int], _ kind: QuantizedKind) {
    #expect(identify(name, .bf16, shape).treatment == .quantize(kind))
  }

  @Test(arguments: [
    ("model.norm.weight", DType.bf16, [8], "norm"),
    ("a.gate.weight", .bf16, [8, 8], "router: a small layer that takes discrete decisions"),
    ("wpe.weight", .bf16, [8, 8], "position table"),
    (
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", .f32, [32, 8],
      "relative position bias"
    ),
    ("a.layer_scale", .f32, [8], "1-D"),
    ("a.table", .i32, [8, 8], "integers"),
    ("model.layers.0.self_attn.q_proj.weight", .u32, [8, 8], "already quantized"),
    ("model.layers.0.self_attn.q_proj.qweight", .i32, [8, 8], "already quantized"),
    ("a.proj.weight", .f4, [8, 8], "already quantized"),
    ("a.proj.weight", .c64, [8, 8], "not real numbers"),
    ("a.proj.weight", .bf16, [1, 8], "a single row or column"),
    ("a.proj.weight", .bf16, [8, 0], "a single row or column"),
    ("lm_head", .bf16, [8, 8], "a parameter of its own, which runtimes read only as it is"),
    ("layers.0.short_conv.weight", .bf16, [8, 1, 4], "convolution"),
  ])
  func aKeptTensorHasAReason(_ name: String, _ dtype: DType, _ shape: [Int], _ reason: String) {
    #expect(identify(name, dtype, shape).treatment == .keep(reason: reason))
  }

  /// What is kept because nothing is known of it is not kept on purpose.
  @Test(arguments: [
    ("a.proj.weight", [8, 8, 8], "neither a matrix nor known to be a stack of them"),
    ("rel_attn.q", [8, 8, 8], "neither a matrix nor known to be a stack of them"),
    ("a.table", [8, 8], "a matrix, but not the weight of a linear layer by its name"),
  ])
  func whatIsNotUnderstoodDoesNotFit(_ name: String, _ shape: [Int], _ reason: String) {
    #expect(identify(name, .bf16, shape).treatment == .unfit(reason: reason))
  }

  @Test(arguments: [
    ("h.0.attn.bias", [1, 1, 8, 8], TensorRole.maskBuffer),
    ("h.0.attn.bias", [24], .bias),
    ("h.0.attn.bias", [1, 1, 8, 4], .bias),
    ("h.0.attn.bias", [2, 1, 8, 8], .bias),
    ("h.0.attn.c_attn.bias", [1, 1, 8, 8], .bias),
    ("layers.0.attention.bias", [1, 1, 8, 8], .maskBuffer),
    ("layers.0.attention.masked_bias", [], .maskBuffer),
    ("layers.0.attention.masked_bias", [8], .other),
  ])
  func aMaskIsDroppedAndABiasIsNot(_ name: String, _ shape: [Int], _ role: TensorRole) {
    let identity = identify(name, .f32, shape)
    #expect(identity.role == role)
    #expect((identity.treatment.outcome == .dropped) == (role == .maskBuffer))
  }

  /// Of two rules that a name ends like, the longer decides.
  @Test(arguments: [
    ("model.layers.0.self_attn.out_proj.weight", TensorRole.attnO),
    ("backbone.layers.0.mixer.out_proj.weight", .ssmOut),
    ("transformer.h.0.mixer.out_proj.weight", .attnO),
    ("h.0.ffn.0.weight", .mlpUp),
    ("h.0.ffn.1.weight", .other),
    ("h.0.ffn.2.weight", .mlpDown),
    ("classifier.out_proj.weight", .classifier),
    ("blocks.0.norm1.weight", .norm),
    ("blocks.0.norm1_proj.weight", .other),
    ("output.weight", .outputHead),
    ("layers.0.output.weight", .other),
    ("layers.0.attention.output.weight", .attnO),
    ("layers.0.mlp.gate_proj.weight", .mlpGate),
    ("layers.0.mlp.gate.weight", .router),
    ("layers.0.mlp.shared_expert.gate_proj.weight", .sharedExpertGate),
    ("layers.0.mlp.shared_expert_gate.weight", .router),
    ("transformer.layers.0.mlp.dense_h_to_4h.weight", .mlpUp),
    ("transformer.encoder.layers.0.mlp.dense_h_to_4h.weight", .mlpGateUp),
    ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", .adapter),
  ])
  func theLongestRuleDecides(_ name: String, _ role: TensorRole) {
    #expect(identify(name, .bf16, [8, 8]).role == role)
  }

  @Test(arguments: [
    "", ".", "...", "weight", "bias", "layers.", "layers.x.weight", "0.0", "é.weight",
  ])
  func aStrangeNameIsNoTrap(_ name: String) {
    let identity = identify(name, .f32, [.max, .max, .max])
    #expect(identity.layer == nil)
    #expect(identity.treatment.outcome == .kept)
  }

  @Test func anIndexMustFit() {
    #expect(identify("layers.99999999999999999999.a.weight", .f32, [8, 8]).layer == nil)
    #expect(identify("layers.-1.a.weight", .f32, [8, 8]).layer == nil)
    #expect(identify("layers.+1.a.weight", .f32, [8, 8]).layer == nil)
  }

  @Test func rawValuesAreSnakeCase() {
    for role in TensorRole.allCases {
      #expect(role.rawValue.allSatisfy { $0.isLowercase || $0 == "_" }, "\(role)")
    }
  }

  private func identify(_ name: String, _ dtype: DType, _ shape: [Int]) -> TensorIdentity {
    TensorNaming(config: nil).identify(name: name, dtype: dtype, shape: shape)
  }
}

extension TensorNaming {
  fileprivate func identify(_ tensor: SyntheticTensor) -> TensorIdentity {
    identify(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape)
  }
}

extension Treatment {
  fileprivate var outcome: SyntheticTensor.Outcome {
    switch self {
    case .quantize: .packed
    case .keep, .unfit: .kept
    case .drop: .dropped
    }
  }
}
