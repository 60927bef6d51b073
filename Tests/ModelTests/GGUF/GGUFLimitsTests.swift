import Formats
import Testing

@testable import Model

/// What llama.cpp cannot express is refused by name, and what it computes otherwise is told.
@Suite struct GGUFLimitsTests {
  private static let llama: JSONValue = [
    "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
    "intermediate_size": 4, "vocab_size": 3, "max_position_embeddings": 16,
  ]

  private func check(_ changes: [(String, JSONValue)]) throws -> GGUFLimits {
    var config = Self.llama
    for (key, value) in changes { config[key] = value }
    let description = try DecoderDescription(config: config)
    let limits = GGUFLimits(try .row(of: description.modelType), description)
    try limits.check()
    return limits
  }

  @Test(
    arguments: [
      ([("hidden_act", "gelu")], "the activation gelu", "llama"),
      (
        [("model_type", "qwen2"), ("head_dim", 8)], "2 heads of 8 in 8 hidden features", "qwen2"
      ),
      (
        [("model_type", "smollm3"), ("num_key_value_heads", 2), ("no_rope_layers", [0])],
        "layer 0 without rotary positions", "smollm3"
      ),
      (
        [
          ("model_type", "qwen2"),
          (
            "rope_scaling",
            ["type": "yarn", "factor": 2, "original_max_position_embeddings": 8, "beta_fast": 16]
          ),
        ], "YaRN from 1.0 to 16.0 turns", "qwen2"
      ),
      (
        [
          ("model_type", "qwen2"),
          (
            "rope_scaling",
            [
              "rope_type": "llama3", "factor": 2, "original_max_position_embeddings": 8,
              "low_freq_factor": 1, "high_freq_factor": 4,
            ]
          ),
        ], "rotary scaling of type llama3", "qwen2"
      ),
    ] as [([(String, JSONValue)], String, String)])
  func isRefusedByName(changes: [(String, JSONValue)], what: String, architecture: String) {
    #expect(
      throws: GGUFModelError.notExpressible(
        what, modelType: architecture, architecture: architecture)
    ) { try check(changes) }
  }

  @Test func aModelThatLlamaCppHasIsExpressible() throws {
    #expect(try check([]).warnings == [])
    // Llama 3's scaling is a tensor there.
    #expect(
      try check([
        (
          "rope_scaling",
          [
            "rope_type": "llama3", "factor": 2, "original_max_position_embeddings": 8,
            "low_freq_factor": 1, "high_freq_factor": 4,
          ]
        )
      ]).warnings == [])
  }

  @Test func aWindowThatIsMissingIsToldOf() throws {
    let short = try check([
      ("model_type", "mistral"), ("num_key_value_heads", 2), ("sliding_window", 4),
    ])
    #expect(short.warnings.count == 1 && short.warnings[0].contains("no window of 4 tokens"))
    let long = try check([
      ("model_type", "mistral"), ("num_key_value_heads", 2), ("sliding_window", 16),
    ])
    #expect(long.warnings == [])
  }

  @Test func anUnknownFamilyIsRefused() {
    #expect(throws: GGUFModelError.unknownModelType("opt")) {
      try GGUFArchitecture.row(of: "opt")
    }
  }

  @Test func everyFamilyIsNamedOnce() {
    let types = GGUFArchitecture.all.flatMap(\.modelTypes)
    #expect(Set(types).count == types.count && types.count == 29)
    for type in types { #expect(ArchitectureFamily.all.contains { $0.modelType == type }) }
  }
}
