import Formats
import Testing

@testable import Model

/// What `--type` names, against the rules of llama.cpp written out by hand for models of some sizes.
@Suite struct GGUFTypesTests {
  private func model(
    _ architecture: String = "llama", layers: Int = 32, headsPerKeyValue: Int = 2,
    experts: Int = 0, hasHead: Bool = true
  ) -> GGUFProportions {
    GGUFProportions(
      architecture: architecture, layerCount: layers, headsPerKeyValue: headsPerKeyValue,
      expertCount: experts, hasHead: hasHead)
  }

  private func type(
    _ name: String, of tensor: String, inputs: Int = 256, in model: GGUFProportions
  ) throws -> GGMLType {
    try #require(GGUFTypes(name)).type(of: tensor + ".weight", inputs: inputs, in: model)
  }

  @Test func filesHaveTheNumbersOfLlamaCpp() {
    let numbers: [String: UInt32] = [
      "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10,
      "Q3_K_S": 11, "Q3_K_M": 12, "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16,
      "Q5_K_M": 17, "Q6_K": 18, "BF16": 32, "Q3_K": 11, "Q4_K": 14, "Q5_K": 16,
    ]
    #expect(
      Dictionary(uniqueKeysWithValues: GGUFTypes.all.map { ($0.name, $0.fileType) }) == numbers)
    #expect(GGUFTypes("Q4_K_XL") == nil && GGUFTypes("IQ4_XS") == nil)
  }

  @Test(arguments: ["Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "Q5_K", "Q4_K", "Q3_K"])
  func oneTypeIsThatOfAllMatrices(name: String) throws {
    for tensor in ["output", "token_embd", "blk.0.attn_v", "blk.31.ffn_down", "blk.3.ffn_up"] {
      for model in [model(), model("falcon"), model(experts: 8), model(hasHead: false)] {
        #expect(try type(name, of: tensor, in: model).name == name)
      }
    }
  }

  @Test func someLayersOfTheMediumMixesHaveSixBits() throws {
    // Of eight layers the first, the last, and every third from the second on: 3 and 6.
    let spread: Set = [0, 3, 6, 7]
    for (name, base) in [("Q4_K_M", GGMLType.q4_K), ("Q5_K_M", .q5_K)] {
      for layer in 0..<8 {
        let wanted = spread.contains(layer) ? GGMLType.q6_K : base
        let model = model(layers: 8)
        #expect(try type(name, of: "blk.\(layer).attn_v", in: model) == wanted)
        #expect(try type(name, of: "blk.\(layer).attn_qkv", in: model) == wanted)
        #expect(try type(name, of: "blk.\(layer).ffn_down", in: model) == wanted)
        #expect(try type(name, of: "blk.\(layer).ffn_down_exps", in: model) == wanted)
        for other in ["attn_q", "attn_k", "attn_output", "ffn_up", "ffn_gate", "ffn_up_exps"] {
          #expect(try type(name, of: "blk.\(layer).\(other)", in: model) == base)
        }
      }
    }
  }

  /// Values, outputs of feed-forward layers and of attention in layer 0, 1, 2 and 4 of 32.
  @Test(arguments: [
    ("Q2_K", "333 333 333 333"), ("Q3_K_S", "333 333 333 333"), ("Q3_K_M", "554 554 444 444"),
    ("Q3_K_L", "555 555 555 555"), ("Q4_K_S", "554 554 554 444"), ("Q5_K_S", "555 555 555 555"),
    ("Q6_K", "666 666 666 666"),
  ])
  func mixesGiveSomeTensorsMoreBits(name: String, digits: String) throws {
    let found = try [0, 1, 2, 4].map { layer in
      try ["attn_v", "ffn_down", "attn_output"].map { tensor in
        try String(type(name, of: "blk.\(layer).\(tensor)", in: model()).name.dropFirst().prefix(1))
      }.joined()
    }
    #expect(found.joined(separator: " ") == digits)
  }

  @Test func theHeadHasSixBitsOrEight() throws {
    for name in ["Q2_K", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K"] {
      #expect(try type(name, of: "output", in: model()) == .q6_K)
      #expect(try type(name, of: "output", inputs: 288, in: model()) == .q8_0)
      #expect(try type(name, of: "output", in: model("falcon")) == .q8_0)
      #expect(try type(name, of: "token_embd", in: model(hasHead: false)) == .q6_K)
      let base = try #require(GGUFTypes(name)).base
      #expect(try type(name, of: "token_embd", in: model()) == base)
    }
  }

  @Test func manyHeadsThatShareValuesGiveThemMoreBits() throws {
    #expect(try type("Q2_K", of: "blk.9.attn_v", in: model(headsPerKeyValue: 4)) == .q4_K)
    #expect(try type("Q2_K", of: "blk.9.attn_v", in: model(headsPerKeyValue: 3)) == .q3_K)
  }

  @Test func eightExpertsGiveAttentionMoreBits() throws {
    for name in ["Q2_K", "Q3_K_S", "Q3_K_M", "Q4_K_S", "Q4_K_M"] {
      #expect(try type(name, of: "blk.9.attn_output", in: model(experts: 8)) == .q5_K)
    }
    for name in ["Q3_K_L", "Q5_K_S", "Q5_K_M"] {
      let base = try #require(GGUFTypes(name)).base
      #expect(try type(name, of: "blk.9.attn_output", in: model(experts: 8)) == base)
    }
    for tensor in ["attn_v", "attn_k"] {
      #expect(try type("Q4_K_M", of: "blk.9.\(tensor)", in: model(experts: 8)) == .q8_0)
    }
    #expect(try type("Q4_K_M", of: "blk.9.attn_k", in: model(experts: 16)) == .q4_K)
  }

  @Test func largeModelsAndFalconHaveRulesOfTheirOwn() throws {
    let large = model(layers: 80, headsPerKeyValue: 8)
    #expect(try type("Q4_K_M", of: "blk.11.attn_v", in: large) == .q5_K)
    #expect(try type("Q4_K_M", of: "blk.12.attn_v", in: large) == .q6_K)
    #expect(try type("Q4_K_M", of: "blk.11.ffn_down", in: large) == .q4_K)
    #expect(
      try type("Q4_K_M", of: "blk.11.attn_v", in: model(layers: 80, headsPerKeyValue: 1)) == .q4_K)
    let falcon = model("falcon")
    #expect(try type("Q4_K_M", of: "blk.1.ffn_down", in: falcon) == .q6_K)
    #expect(try type("Q4_K_M", of: "blk.2.ffn_down", in: falcon) == .q5_K)
    #expect(try type("Q4_K_M", of: "blk.4.ffn_down", in: falcon) == .q4_K)
    #expect(try type("Q3_K_M", of: "blk.4.ffn_down", in: falcon) == .q3_K)
    #expect(try type("Q4_K_S", of: "blk.0.ffn_down", in: falcon) == .q4_K)
    #expect(try type("Q3_K_L", of: "blk.4.attn_output", in: falcon) == .q4_K)
    #expect(try type("Q3_K_M", of: "blk.4.attn_output", in: falcon) == .q3_K)
  }
}
