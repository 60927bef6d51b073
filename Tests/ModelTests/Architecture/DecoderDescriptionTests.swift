import Formats
import Model
import Testing

/// What configurations make of families.
@Suite struct DecoderDescriptionTests {
  private static let llama: JSONValue = [
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
    "num_attention_heads": 4, "vocab_size": 100, "max_position_embeddings": 128,
  ]

  private func describe(
    _ changes: [String: JSONValue], of base: JSONValue = llama
  ) throws -> DecoderDescription {
    var config = base
    for (name, value) in changes.sorted(by: { $0.key < $1.key }) { config[name] = value }
    return try DecoderDescription(config: config)
  }

  private func attention(
    _ changes: [String: JSONValue], layer: Int = 0
  ) throws -> AttentionDescription {
    guard case .attention(let attention) = try describe(changes).layers[layer].mixer else {
      throw ArchitectureError.noModelType
    }
    return attention
  }

  @Test func bothSpellingsOfRotaryPositions() throws {
    let scaling: JSONValue = [
      "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
      "original_max_position_embeddings": 64,
    ]
    let four = try attention(["rope_theta": 5000, "rope_scaling": scaling])
    var parameters = scaling
    parameters["rope_theta"] = 5000
    #expect(try attention(["rope_parameters": parameters]) == four)
    // The newer spelling wins.
    #expect(try attention(["rope_parameters": parameters, "rope_theta": 7]) == four)
    #expect(
      four.rotary?.scaling
        == .llama3(factor: 8, lowFactor: 1, highFactor: 4, context: 64))
    #expect(four.rotary?.base == 5000)
  }

  /// Which of four layers have a window.
  @Test(
    arguments: [
      ("mistral", [:], [4096, 4096, 4096, 4096]),
      ("mistral", ["sliding_window": .null], [nil, nil, nil, nil]),
      ("qwen2", ["sliding_window": 9], [nil, nil, nil, nil]),
      (
        "qwen2", ["sliding_window": 9, "use_sliding_window": true, "max_window_layers": 2],
        [nil, nil, 9, 9]
      ),
      ("gemma2", ["sliding_window": 9], [9, nil, 9, nil]),
      ("gemma3_text", ["sliding_window": 9, "sliding_window_pattern": 3], [9, 9, nil, 9]),
      (
        "qwen3",
        [
          "sliding_window": 9, "use_sliding_window": true,
          "layer_types": [
            "sliding_attention", "full_attention", "full_attention", "sliding_attention",
          ],
        ], [9, nil, nil, 9]
      ),
    ] as [(String, [String: JSONValue], [Int?])])
  func windows(family: String, changes: [String: JSONValue], expected: [Int?]) throws {
    var changes = changes
    changes["model_type"] = .string(family)
    changes["num_hidden_layers"] = 4
    changes["num_key_value_heads"] = 4
    let windows = try describe(changes).layers.map { layer -> Int? in
      guard case .attention(let attention) = layer.mixer else { return -1 }
      return attention.scoring.window
    }
    #expect(windows == expected)
  }

  @Test func aListOfLayersMustNotContradictAFamilyThatDoesNotReadIt() throws {
    let full: JSONValue = ["full_attention", "full_attention", "full_attention"]
    _ = try describe(["layer_types": full])
    let mixed: JSONValue = ["full_attention", "sliding_attention", "full_attention"]
    #expect(throws: ArchitectureError.self) { try describe(["layer_types": mixed]) }
    #expect(throws: ArchitectureError.self) { try describe(["layer_types": ["full_attention"]]) }
  }

  @Test func localAndGlobalBasesOfGemma3() throws {
    let changes: [String: JSONValue] = [
      "model_type": "gemma3_text", "rope_scaling": ["rope_type": "linear", "factor": 8],
      "num_hidden_layers": 6, "num_key_value_heads": 4,
    ]
    let (local, global) = (
      try attention(changes), try attention(changes, layer: 5)
    )
    #expect(local.rotary?.base == 10_000 && local.rotary?.scaling == RotaryScaling.none)
    #expect(global.rotary?.base == 1e6 && global.rotary?.scaling == .linear(factor: 8))
  }

  /// Families that no reference vector is of.
  @Test func cohereStarcoderAndPhi() throws {
    let cohere = try describe(["model_type": "cohere", "logit_scale": .number("0.25")])
    #expect(cohere.head.scale == 0.25 && cohere.head.mayBeTied)
    #expect(cohere.layers[0].arrangement == .parallel)
    #expect(cohere.layers[0].norms.preMixer?.biases == [])
    let starcoder = try describe(["model_type": "starcoder2", "num_key_value_heads": 2])
    guard case .plain(let plain) = starcoder.layers[0].feedForward else {
      Issue.record("no plain feed-forward part")
      return
    }
    #expect(plain.up.bias == "model.layers.0.mlp.c_fc.bias" && plain.activation == .geluTanh)
    let phi = try describe(["model_type": "phi"])
    #expect(phi.head.bias == "lm_head.bias")
    guard case .attention(let attention) = phi.layers[0].mixer else { return }
    #expect(attention.rotary?.width == 8 && attention.output.module.hasSuffix("self_attn.dense"))
  }

  /// Each is refused, with an error that names the key, before anything large is made.
  @Test(
    arguments: [
      ["hidden_size": 0], ["hidden_size": -64], ["hidden_size": .number("1e30")],
      ["hidden_size": .integer(Int.max)], ["hidden_size": .null], ["hidden_size": "64"],
      ["num_hidden_layers": .integer(Int.max)], ["num_hidden_layers": 1_000_000],
      ["num_attention_heads": 0], ["num_attention_heads": 1_099_511_627_776],
      ["num_attention_heads": 3],
      ["num_key_value_heads": 3], ["num_key_value_heads": 8], ["head_dim": 1_073_741_824],
      ["head_dim": 15], ["intermediate_size": 1_125_899_906_842_624],
      ["vocab_size": 1_152_921_504_606_846_976],
      ["rms_norm_eps": -1], ["rms_norm_eps": .number("1e400")], ["hidden_act": "mish"],
      ["rope_theta": 0], ["rope_theta": "x"], ["rope_scaling": 7],
      ["rope_scaling": ["rope_type": "unheard-of"]],
      ["rope_scaling": ["rope_type": "linear", "factor": 0]],
      ["rope_scaling": ["rope_type": "linear"]],
      ["rope_scaling": ["rope_type": "linear", "factor": 2, "twist": 3]],
      ["rope_scaling": ["rope_type": "dynamic", "factor": .number("0.5")]],
      [
        "rope_scaling": [
          "rope_type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4,
        ]
      ],
      ["rope_scaling": ["rope_type": "longrope", "short_factor": [1], "long_factor": [1]]],
      ["rope_scaling": ["rope_type": "yarn", "factor": 2, "original_max_position_embeddings": 0]],
      ["partial_rotary_factor": 2], ["tie_word_embeddings": 1], ["attention_bias": "no"],
      ["clip_qkv": 8],
    ] as [[String: JSONValue]])
  func hostileConfigurations(changes: [String: JSONValue]) throws {
    #expect(throws: ArchitectureError.self) { try describe(changes) }
  }

  @Test func mixturesAreDescribedOneExpertAtATime() throws {
    let base: JSONValue = [
      "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 96,
      "num_hidden_layers": 1000, "num_attention_heads": 4, "num_key_value_heads": 4,
      "vocab_size": 100, "num_local_experts": 65_536,
    ]
    let described = try DecoderDescription(config: base)
    guard case .mixture(let mixture) = described.layers[999].feedForward else {
      Issue.record("no mixture")
      return
    }
    #expect(
      mixture.experts.expert(65_535).down.weight
        == "model.layers.999.block_sparse_moe.experts.65535.w2.weight")
  }
}
