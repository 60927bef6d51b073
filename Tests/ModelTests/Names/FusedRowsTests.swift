import Formats
import Model
import Testing

@Suite struct FusedRowsTests {
  @Test func runsCoverTheRowsInOrder() throws {
    let rows = try #require(
      FusedRows([.init(.q, 2), .init(.k, 1), .init(.v, 1)], repeats: 2, rowCount: 8))
    #expect((0..<8).map(rows.part(ofRow:)) == [.q, .q, .k, .v, .q, .q, .k, .v])
    #expect(rows.rowCount == 8)
    #expect(rows.rowCount(of: .q) == 4)
    #expect(rows.rowCount(of: .v) == 2)
    #expect(rows.rowCount(of: .gate) == 0)
    #expect(rows.description == "2 x [q 2, k 1, v 1]")
  }

  @Test func whatDoesNotAddUpIsNoCut() {
    #expect(FusedRows([.init(.q, 2), .init(.k, 1)], rowCount: 4) == nil)
    #expect(FusedRows([.init(.q, 2), .init(.k, 1)], rowCount: 2) == nil)
    #expect(FusedRows([.init(.q, 2)], repeats: 2, rowCount: 5) == nil)
    #expect(FusedRows([.init(.q, 2)], repeats: 0, rowCount: 2) == nil)
    #expect(FusedRows([.init(.q, 0), .init(.k, 2)], rowCount: 2) == nil)
    #expect(FusedRows([.init(.q, -2), .init(.k, 4)], rowCount: 2) == nil)
    #expect(FusedRows([.init(.q, .max), .init(.k, .max)], repeats: .max, rowCount: .max) == nil)
    #expect(FusedRows([], rowCount: 0) == nil)
  }

  /// A claim of many rows costs nothing: the pattern is what is stored.
  @Test func theLargestCountIsFine() throws {
    let rows = try #require(FusedRows([.init(.gate, 1)], repeats: .max, rowCount: .max))
    #expect(rows.part(ofRow: .max - 1) == .gate)
    #expect(rows.rowCount(of: .gate) == .max)
  }

  @Test(
    arguments: [
      // Numbers that contradict the shape, or each other, or that overflow when multiplied.
      ["model_type": "phi3", "hidden_size": 64, "num_attention_heads": 2],
      [
        "model_type": "phi3", "head_dim": 1_000_000_000_000,
        "num_attention_heads": 1_000_000_000_000,
      ],
      ["model_type": "phi3", "head_dim": 16, "num_attention_heads": 2, "num_key_value_heads": 4],
      ["model_type": "phi3"],
      [:],
    ] as [JSONValue])
  func aConfigurationThatDoesNotFitGivesNoCut(_ config: JSONValue) {
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "model.layers.0.self_attn.qkv_proj.weight", dtype: .bf16, shape: [128, 64])
    #expect(identity.fusedRows == nil)
    #expect(identity.treatment == .quantize(.linear))
  }

  @Test(arguments: ["falcon", "bloom", "gpt_neox", "chatglm"])
  func headsThatDoNotDivideGiveNoCut(_ family: String) {
    let config: JSONValue = [
      "model_type": .string(family), "hidden_size": 64, "num_attention_heads": 3,
      "num_kv_heads": 2, "new_decoder_architecture": true,
    ]
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "layers.0.self_attention.query_key_value.weight", dtype: .bf16, shape: [192, 64])
    #expect(identity.fusedRows == nil)
  }

  @Test func anUnknownFamilyHasNoKnownCut() {
    let config = ModelConfig(
      document: ["model_type": "new", "hidden_size": 64, "num_attention_heads": 2])
    let identity = TensorNaming(config: config).identify(
      name: "layers.0.attention.query_key_value.weight", dtype: .bf16, shape: [192, 64])
    #expect(identity.fusedRows == nil)
  }

  /// The same name, cut differently within a family: a key for each head, or one for several.
  @Test(
    arguments: [
      ("chatglm", [:], "query_key_value", 192, "4 x [q 16, k 16, v 16]"),
      (
        "chatglm", ["multi_query_attention": true, "multi_query_group_num": 1],
        "query_key_value", 96, "q 0..<64, k 64..<80, v 80..<96"
      ),
      ("gpt_bigcode", ["multi_query": false], "c_attn", 192, "4 x [q 16, k 16, v 16]"),
      ("gpt_bigcode", [:], "c_attn", 96, "q 0..<64, k 64..<80, v 80..<96"),
    ] as [(String, JSONValue, String, Int, String)])
  func keyHeadsDecideTheOrder(
    _ family: String, _ facts: JSONValue, _ module: String, _ rows: Int, _ cut: String
  ) {
    var config = facts
    config["model_type"] = .string(family)
    config["hidden_size"] = 64
    config["num_attention_heads"] = 4
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "layers.0.attention.\(module).weight", dtype: .bf16, shape: [rows, 64])
    #expect(identity.fusedRows?.description == cut)
  }

  /// InternLM2 groups its heads, HRM-Text has a gate before them, and what is known to lie otherwise
  /// is not cut.
  @Test(arguments: [
    ("internlm2", "attention.wqkv", 128, "2 x [q 32, k 16, v 16]" as String?),
    ("baichuan_m1", "self_attn.W_pack", 128, "q 0..<64, k 64..<96, v 96..<128"),
    ("hrm_text", "attn.gqkv_proj", 192, "gate 0..<64, q 64..<128, k 128..<160, v 160..<192"),
    ("jetmoe", "self_attention.kv_proj", 64, "k 0..<32, v 32..<64"),
    ("minimax", "self_attn.qkv_proj", 128, nil),
    ("codegen", "attn.qkv_proj", 128, nil),
  ])
  func familiesHaveTheirOwnOrder(_ family: String, _ module: String, _ rows: Int, _ cut: String?) {
    let config: JSONValue = [
      "model_type": .string(family), "hidden_size": 64, "num_attention_heads": 4,
      "num_key_value_heads": 2,
    ]
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "layers.0.\(module).weight", dtype: .bf16, shape: [rows, 64])
    #expect(identity.fusedRows?.description == cut)
  }

  /// As its authors publish Inkling; transformers turns them into halves.
  @Test func inklingInterleavesGateAndUp() {
    let config: JSONValue = ["model_type": "inkling2_text", "hidden_size": 64]
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "model.llm.layers.0.mlp.experts.w13_weight", dtype: .bf16, shape: [2, 96, 64])
    #expect(identity.fusedRows?.description == "48 x [gate 1, up 1]")
    #expect(identity.order == .outputMajor)
  }

  /// Nothing but the family tells interleaved rows from halves.
  @Test func aStackWithoutAConfigurationIsNotCut() {
    let identity = TensorNaming(config: nil).identify(
      name: "layers.0.mlp.experts.gate_up_proj", dtype: .bf16, shape: [2, 64, 128])
    #expect(identity.fusedRows == nil)
  }

  /// Published sizes: Falcon-7B has 71 query heads of 64 and one key head; Falcon-40B 128 query
  /// heads of 64 and eight key heads; Bloom 7B1 32 heads of 128.
  @Test(
    arguments: [
      (
        [
          "model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71,
          "num_kv_heads": 71, "multi_query": true,
        ],
        [4672, 4544], "q 0..<4544, k 4544..<4608, v 4608..<4672"
      ),
      (
        ["model_type": "RefinedWeb", "hidden_size": 8192, "n_head": 128, "n_head_kv": 8],
        [9216, 8192], "8 x [q 1024, k 64, v 64]"
      ),
      (
        ["model_type": "bloom", "n_embed": 4096, "n_head": 32],
        [12288, 4096], "32 x [q 128, k 128, v 128]"
      ),
    ] as [(JSONValue, [Int], String)])
  func publishedSizesAreCut(_ config: JSONValue, _ shape: [Int], _ cut: String) {
    let identity = TensorNaming(config: ModelConfig(document: config)).identify(
      name: "transformer.h.0.self_attention.query_key_value.weight", dtype: .bf16, shape: shape)
    #expect(identity.fusedRows?.description == cut)
  }
}
