import Formats
import Model
import Testing

@Suite struct StorageOrderTests {
  private func isInputMajor(
    _ name: String, _ shape: [Int], family: String? = nil,
    beside tensors: [(name: String, shape: [Int])] = []
  ) -> Bool {
    let config = family.map {
      ModelConfig(document: ["model_type": .string($0), "hidden_size": 8])
    }
    return TensorNaming(config: config, tensors: tensors)
      .identify(name: name, dtype: .bf16, shape: shape).order == .inputMajor
  }

  @Test func theFamilyTellsWhatASquareMatrixDoesNot() {
    #expect(isInputMajor("h.0.attn.c_proj.weight", [8, 8], family: "gpt2"))
    #expect(!isInputMajor("h.0.attn.c_proj.weight", [8, 8], family: "gpt_bigcode"))
    #expect(!isInputMajor("h.0.attn.c_proj.weight", [8, 8]))
  }

  /// A GPT-2 checkpoint whose matrices someone has already turned still says `gpt2`.
  @Test func theNeighboursOutweighTheFamily() {
    let linear = [(name: "h.0.attn.c_attn.weight", shape: [24, 8])]
    #expect(!isInputMajor("h.0.attn.c_proj.weight", [8, 8], family: "gpt2", beside: linear))
    let conv1D = [(name: "h.0.attn.c_attn.weight", shape: [8, 24])]
    #expect(isInputMajor("h.0.attn.c_proj.weight", [8, 8], beside: conv1D))
  }

  @Test func aMatrixAloneTellsByItsShape() {
    #expect(isInputMajor("h.0.attn.c_attn.weight", [8, 24]))
    #expect(!isInputMajor("h.0.attn.c_attn.weight", [24, 8]))
    #expect(isInputMajor("h.0.mlp.c_fc.weight", [8, 32]))
    #expect(!isInputMajor("h.0.mlp.c_fc.weight", [32, 8]))
    #expect(isInputMajor("h.0.mlp.c_proj.weight", [32, 8]))
    #expect(!isInputMajor("h.0.mlp.c_proj.weight", [8, 32]))
  }

  @Test func otherNamesAreNeverTransposed() {
    #expect(!isInputMajor("wte.weight", [32, 8], family: "gpt2"))
    #expect(!isInputMajor("lm_head.weight", [32, 8], family: "gpt2"))
    #expect(!isInputMajor("layers.0.mlp.switch_mlp.up_proj.weight", [2, 8, 4], family: "gpt_oss"))
  }

  @Test func stacksOfAnUnknownFamilyTellByTheHiddenWidth() {
    #expect(isInputMajor("layers.0.mlp.experts.gate_up_proj", [2, 8, 24], family: "new"))
    #expect(!isInputMajor("layers.0.mlp.experts.gate_up_proj", [2, 24, 8], family: "new"))
    #expect(isInputMajor("layers.0.mlp.experts.down_proj", [2, 12, 8], family: "new"))
    #expect(!isInputMajor("layers.0.mlp.experts.down_proj", [2, 8, 12], family: "new"))
  }

  @Test func twoStacksTellTogether() {
    let outputMajor = [
      (name: "layers.0.mlp.experts.gate_up_proj", shape: [2, 16, 8]),
      (name: "layers.0.mlp.experts.down_proj", shape: [2, 8, 8]),
    ]
    for (name, shape) in outputMajor {
      #expect(!isInputMajor(name, shape, family: "gpt_oss", beside: outputMajor))
    }
  }

  /// Square or not, with or without a configuration.
  @Test(arguments: [[2, 8, 8], [2, 8, 16], [2, 16, 8]])
  func stacksOfAriaHaveTheirInputsFirst(_ shape: [Int]) {
    for name in ["fc1", "fc2"] {
      #expect(isInputMajor("model.layers.0.mlp.experts.\(name).weight", shape))
      #expect(isInputMajor("model.layers.0.mlp.experts.\(name).weight", shape, family: "aria_text"))
    }
    #expect(!isInputMajor("layers.0.mixer.switch_mlp.fc1.weight", shape))
  }

  @Test func onlyTheLastMatrixOfDBRXHasItsInputsFirst() {
    for (name, expected) in [("w1", false), ("v1", false), ("w2", true)] {
      #expect(
        isInputMajor("transformer.blocks.0.ffn.experts.mlp.\(name)", [16, 8], family: "dbrx")
          == expected)
    }
  }

  @Test func hostileShapesAreNoTrap() {
    let tensors = [
      (name: "h.0.attn.c_attn.weight", shape: [Int.max, .max]),
      (name: "h.1.attn.c_attn.weight", shape: [0, 0]),
      (name: "layers.0.mlp.experts.gate_up_proj", shape: [.max, .max, .max]),
      (name: "layers.0.mlp.experts.down_proj", shape: [.max, .max, .max]),
    ]
    #expect(!isInputMajor("h.0.attn.c_proj.weight", [8, 8], beside: tensors))
    #expect(!isInputMajor("layers.0.mlp.experts.down_proj", [2, 8, 8], beside: tensors))
  }
}
