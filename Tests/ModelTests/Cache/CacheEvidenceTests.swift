import Formats
import Model
import TestModels
import Testing

/// What the tensors say against the configuration.
@Suite struct CacheEvidenceTests {
  private static func attention(
    _ layers: Range<Int>, key: [Int], value: [Int]
  ) -> [NamedShape] {
    layers.flatMap { layer -> [NamedShape] in
      [
        ("model.layers.\(layer).self_attn.k_proj.weight", key),
        ("model.layers.\(layer).self_attn.v_proj.weight", value),
      ]
    }
  }

  private static let small: JSONValue = [
    "model_type": "llama", "hidden_size": 512, "num_hidden_layers": 2, "num_attention_heads": 8,
    "num_key_value_heads": 8,
  ]

  @Test func tensorsThatAgreeAreNotReported() throws {
    let geometry = try CacheGeometry(
      Self.small, Self.attention(0..<2, key: [512, 512], value: [512, 512]))
    #expect(geometry.disagreements.isEmpty)
    #expect(
      geometry.layers
        == Array(repeating: .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil), count: 2))
  }

  @Test func fewerKeyHeadsThanConfiguredAreBelievedAndReported() throws {
    let geometry = try CacheGeometry(
      Self.small,
      Self.attention(0..<1, key: [512, 512], value: [512, 512])
        + Self.attention(1..<2, key: [128, 512], value: [128, 512]))
    #expect(
      geometry.layers == [
        .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil),
        .heads(count: 2, keyWidth: 64, valueWidth: 64, window: nil),
      ])
    #expect(
      geometry.disagreements.map(\.description) == [
        "config.json says 8 key/value heads of 64, the tensors show 2 key/value heads of 64 in"
          + " 128 key outputs, 128 value outputs (layer 1)"
      ])
  }

  @Test func valuesMayBeNarrowerThanKeys() throws {
    let geometry = try CacheGeometry(
      Self.small, Self.attention(0..<2, key: [512, 512], value: [256, 512]))
    #expect(geometry.layers[0] == .heads(count: 8, keyWidth: 64, valueWidth: 32, window: nil))
    #expect(geometry.disagreements.map(\.layers) == [[0, 1]])
  }

  /// Neither 64 nor 8 divides 100: the elements still count, all of them.
  @Test func outputsThatNothingDividesStillCount() throws {
    let geometry = try CacheGeometry(
      Self.small, Self.attention(0..<2, key: [100, 512], value: [100, 512]))
    #expect(geometry.layers[0] == .heads(count: 1, keyWidth: 100, valueWidth: 100, window: nil))
    #expect(geometry.disagreements.count == 1)
  }

  /// A configuration that says nothing of heads is not contradicted by tensors.
  @Test func tensorsFillInWhatTheConfigurationLeavesOut() throws {
    let geometry = try CacheGeometry(
      ["model_type": "llama", "head_dim": 64],
      Self.attention(0..<3, key: [128, 512], value: [128, 512]))
    #expect(
      geometry.layers
        == Array(repeating: .heads(count: 2, keyWidth: 64, valueWidth: 64, window: nil), count: 3))
    #expect(geometry.disagreements.isEmpty)
  }

  @Test(
    arguments: [
      // 73 * 64 rows with 71 query heads leave one key head, whatever the configuration claims.
      (["multi_query": true], 4672, 1, true), (["multi_query": false], 4672, 1, false),
      (["new_decoder_architecture": true], 4672, 1, false),
      (["multi_query": false], 13632, 71, true),
    ] as [(JSONValue, Int, Int, Bool)])
  func fusedRowsTellTheKeyHeads(
    _ facts: JSONValue, _ rows: Int, _ heads: Int, _ agrees: Bool
  ) throws {
    var config = facts
    config["model_type"] = "falcon"
    config["hidden_size"] = 4544
    config["num_attention_heads"] = 71
    config["num_kv_heads"] = 71
    config["num_hidden_layers"] = 1
    let geometry = try CacheGeometry(
      config, [("transformer.h.0.self_attention.query_key_value.weight", [rows, 4544])])
    #expect(
      geometry.layers == [.heads(count: heads, keyWidth: 64, valueWidth: 64, window: nil)])
    #expect(geometry.disagreements.isEmpty == agrees)
  }

  @Test func fusedRowsThatNoNumberOfHeadsExplainsAreReported() throws {
    let geometry = try CacheGeometry(
      Self.small, (0..<2).map { ("model.layers.\($0).self_attn.qkv_proj.weight", [1000, 512]) })
    #expect(geometry.layers[1] == .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil))
    #expect(
      geometry.disagreements.map(\.description) == [
        "config.json says 8 key/value heads of 64, the tensors show 1000 fused outputs, which no"
          + " number of heads explains (layers 0, 1)"
      ])
  }

  /// GPT-2 stores `[in, out]`: the outputs are the columns.
  @Test func transposedProjectionsHaveTheirOutputsInColumns() throws {
    let geometry = try CacheGeometry(
      ["model_type": "gpt2", "n_embd": 768, "n_layer": 1, "n_head": 12],
      [("h.0.attn.c_attn.weight", [768, 2304])])
    #expect(geometry.layers == [.heads(count: 12, keyWidth: 64, valueWidth: 64, window: nil)])
    #expect(geometry.disagreements.isEmpty)
  }

  @Test func theLatentIsMeasured() throws {
    let config = PublishedModel.deepSeekV3.config
    func tensors(_ rows: Int, layers: Int) -> [NamedShape] {
      (0..<layers).map { ("model.layers.\($0).self_attn.kv_a_proj_with_mqa.weight", [rows, 7168]) }
    }
    // Layer 61 predicts a second token and is announced.
    let same = try CacheGeometry(config, tensors(576, layers: 62))
    #expect(same.layers.count == 61)
    #expect(same.layers.allSatisfy { $0 == .latent(width: 512, rotaryWidth: 64) })
    #expect(same.disagreements.isEmpty)
    let narrower = try CacheGeometry(config, tensors(320, layers: 61))
    #expect(narrower.layers[0] == .latent(width: 256, rotaryWidth: 64))
    #expect(narrower.disagreements.map(\.layers.count) == [61])
  }

  /// What is missing counts as configured, so that nobody is told too little.
  @Test func missingAndSurplusProjectionsAreReported() throws {
    let tensors =
      Self.attention(0..<1, key: [512, 512], value: [512, 512])
      + Self.attention(5..<6, key: [512, 512], value: [512, 512])
    let geometry = try CacheGeometry(Self.small, tensors)
    #expect(
      geometry.layers
        == [CacheGeometry.Layer](
          repeating: .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil), count: 2))
    #expect(
      geometry.disagreements.map(\.description) == [
        "config.json says attention, the tensors show no key or value projection (layer 1)",
        "config.json says 2 layers, the tensors show more (layer 5)",
      ])
  }

  @Test func anUnknownKindOfLayerCountsInFull() throws {
    var config = Self.small
    config["layer_types"] = ["full_attention", "telepathy"]
    let geometry = try CacheGeometry(config)
    #expect(geometry.layers[1] == .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil))
    #expect(geometry.disagreements.map(\.layers) == [[1]])
  }

  /// RWKV calls projections keys and values that go into its state.
  @Test func keysOfALinearLayerAreNotCached() throws {
    let geometry = try CacheGeometry(
      ["model_type": "rwkv7", "hidden_size": 512, "num_hidden_layers": 1],
      [("model.layers.0.attn.k_proj.weight", [512, 512])])
    #expect(geometry.layers == [.constantState])
    #expect(geometry.disagreements.isEmpty)
  }

  @Test func keysInAStateSpaceLayerAreReported() throws {
    let geometry = try CacheGeometry(
      [
        "model_type": "jamba", "hidden_size": 512, "num_hidden_layers": 2,
        "num_attention_heads": 8, "attn_layer_period": 2, "attn_layer_offset": 1,
      ], Self.attention(0..<2, key: [512, 512], value: [512, 512]))
    #expect(
      geometry.layers
        == [CacheGeometry.Layer](
          repeating: .heads(count: 8, keyWidth: 64, valueWidth: 64, window: nil), count: 2))
    #expect(geometry.disagreements.map(\.layers) == [[0]])
  }

  /// Keys and values in one projection, values in two, and a gate beside the queries.
  @Test(arguments: [
    [("self_attention.kv_proj.weight", [256, 512])],
    [
      ("self_attn.qkv_proj.k_proj.weight", [128, 512]),
      ("self_attn.qkv_proj.v_proj_current.weight", [64, 512]),
      ("self_attn.qkv_proj.v_proj_delayed.weight", [64, 512]),
    ],
    [("attn.gqkv_proj.weight", [1280, 512])],
  ])
  func unusualProjectionsAreUnderstood(_ tensors: [(String, [Int])]) throws {
    var config = Self.small
    config["num_key_value_heads"] = 2
    config["num_hidden_layers"] = 1
    let geometry = try CacheGeometry(
      config, tensors.map { ("model.layers.0.\($0.0)", $0.1) })
    #expect(geometry.disagreements.map(\.description) == [])
    #expect(
      geometry.layers == [.heads(count: 2, keyWidth: 64, valueWidth: 64, window: nil)])
  }

  @Test func aLayerNumberBeyondBeliefIsAnError() {
    let error = CacheGeometryError.unbelievable(fact: "the index of a layer", value: 1 << 30)
    #expect(throws: error) {
      try CacheGeometry(
        Self.small, [("model.layers.\(1 << 30).self_attn.k_proj.weight", [512, 512])])
    }
  }

  /// Configurations and tensors of the families agree, and where there is a cache it is the size of
  /// the projections.
  @Test(arguments: SyntheticFamily.all)
  func familiesAgreeWithThemselves(_ family: SyntheticFamily) throws {
    let geometry = try CacheGeometry(family.config, family.tensors.map { ($0.name, $0.shape) })
    #expect(geometry.disagreements.map(\.description) == [])
    var elements = 0
    for tensor in family.tensors where ["attn_k", "attn_v"].contains(tensor.role) {
      if !family.name.hasPrefix("RWKV"), family.name != "BERT", family.name != "BERT with heads" {
        elements += tensor.shape[0]
      }
    }
    if elements > 0 { #expect(geometry.layers.reduce(0) { $0 + $1.elementCount } == elements) }
  }
}

extension CacheGeometry.Layer {
  /// Elements that a token adds.
  fileprivate var elementCount: Int {
    switch self {
    case .heads(let count, let keyWidth, let valueWidth, _): count * (keyWidth + valueWidth)
    case .latent(let width, let rotaryWidth): width + rotaryWidth
    case .constantState, .none: 0
    }
  }
}
