import Formats
import Model
import TestModels
import Testing

/// What configurations alone tell, and what they cannot.
@Suite struct CacheGeometryTests {
  @Test(
    arguments: [
      (["hidden_size": 4096], .noLayers),
      (
        ["num_hidden_layers": 1_000_000_000, "num_attention_heads": 1, "head_dim": 1],
        .unbelievable(fact: "the number of layers", value: 1_000_000_000)
      ),
      (
        ["num_hidden_layers": 1, "num_attention_heads": 1_000_000, "head_dim": 64],
        .unbelievable(fact: "the number of key/value heads", value: 1_000_000)
      ),
      (
        ["num_hidden_layers": 1, "num_attention_heads": 8, "head_dim": 1_099_511_627_776],
        .unbelievable(fact: "the width of a key", value: 1 << 40)
      ),
      (
        ["num_hidden_layers": 1, "kv_lora_rank": 1_099_511_627_776],
        .unbelievable(fact: "kv_lora_rank", value: 1 << 40)
      ),
      (["num_hidden_layers": 2, "hidden_size": 4096], .unknownHeads(layer: 0)),
      (["num_hidden_layers": 2, "is_encoder_decoder": true], .encoderAndDecoder),
    ] as [(JSONValue, CacheGeometryError)])
  func whatCannotBeToldOrBelievedIsAnError(_ config: JSONValue, _ error: CacheGeometryError) {
    #expect(throws: error) { try CacheGeometry(config) }
  }

  /// Asking for each of many layers must not go through all members each time.
  @Test(.timeLimit(.minutes(1))) func longConfigurationsAreReadOnce() throws {
    var members = (0..<20_000).map { JSONValue.Member("unknown_\($0)", .integer($0)) }
    members += [
      .init("model_type", "llama"), .init("num_hidden_layers", 20_000),
      .init("num_attention_heads", 2), .init("head_dim", 32),
      .init("cross_attention_layers", .array((0..<20_000).map { .integer(2 * $0) })),
    ]
    let geometry = try CacheGeometry(
      config: ModelConfig(document: .object(members)), tensors: EmptyCollection())
    #expect(geometry.layers.count == 20_000)
    #expect(geometry.layers[0] == .none && geometry.layers[1] != .none)
  }
}
