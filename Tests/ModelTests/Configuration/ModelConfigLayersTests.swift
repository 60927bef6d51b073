import Formats
import Model
import Testing

/// What the layers of published configurations remember, and how many experts see a token.
@Suite struct ModelConfigLayersTests {
  /// One letter a layer: Full, Window, Linear, State-space, `-` none, `?` unknown.
  static func letters(_ config: JSONValue, layers: Int, window: Int = 0) -> String {
    let config = ModelConfig(document: config)
    return String(
      (0..<layers).map { layer -> Character in
        switch config.attention(ofLayer: layer) {
        case .full: "F"
        case .window(let tokens): tokens == window ? "W" : "!"
        case .linear: "L"
        case .stateSpace: "S"
        case LayerAttention.none?: "-"
        case nil: "?"
        }
      })
  }

  struct Layers: Sendable, CustomTestStringConvertible {
    let name: String
    let config: JSONValue
    var window = 0
    let expected: String

    var testDescription: String { name }
  }

  static let families: [Layers] = [
    Layers(name: "xLSTM", config: ["model_type": "xlstm"], expected: "LLLL"),
    Layers(name: "LLaMA", config: ["model_type": "llama"], expected: "FFFF"),
    Layers(
      name: "Mistral 0.1", config: ["model_type": "mistral", "sliding_window": 4096], window: 4096,
      expected: "WWWW"),
    Layers(
      name: "Mistral 0.2", config: ["model_type": "mistral", "sliding_window": .null],
      expected: "FFFF"),
    Layers(
      name: "Gemma 2", config: ["model_type": "gemma2", "sliding_window": 4096], window: 4096,
      expected: "WFWFWF"),
    Layers(
      name: "Gemma 3 in a multimodal file",
      config: [
        "model_type": "gemma3",
        "text_config": ["model_type": "gemma3_text", "sliding_window": 1024],
      ], window: 1024, expected: "WWWWWFWWWWWFW"),
    Layers(
      name: "Gemma 3 with a pattern of its own",
      config: ["model_type": "gemma3_text", "sliding_window": 512, "sliding_window_pattern": 3],
      window: 512, expected: "WWFWWF"),
    Layers(
      name: "Qwen2, whose window is off",
      config: [
        "model_type": "qwen2", "sliding_window": 131072, "use_sliding_window": false,
        "max_window_layers": 2,
      ], expected: "FFFF"),
    Layers(
      name: "Qwen2, silent: off",
      config: ["model_type": "qwen2", "sliding_window": 131072, "max_window_layers": 2],
      expected: "FFFF"),
    Layers(
      name: "Qwen2, whose window is on",
      config: [
        "model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": true,
        "max_window_layers": 2,
      ], window: 4096, expected: "FFWW"),
    Layers(
      name: "gpt-oss, as listed",
      config: [
        "model_type": "gpt_oss", "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
      ], window: 128, expected: "WFW?"),
    Layers(
      name: "Llama 4",
      config: [
        "model_type": "llama4",
        "text_config": ["model_type": "llama4_text", "attention_chunk_size": 8192],
      ], window: 8192, expected: "WWWFWWWF"),
    Layers(
      name: "Jamba",
      config: ["model_type": "jamba", "attn_layer_period": 8, "attn_layer_offset": 4],
      expected: "SSSSFSSSSSSSFSSS"),
    Layers(
      name: "Qwen3-Next", config: ["model_type": "qwen3_next", "full_attention_interval": 4],
      expected: "LLLFLLLF"),
    Layers(
      name: "Linear layers as listed",
      config: ["layer_types": ["linear_attention", "full_attention", "conv", "new_kind", 3]],
      expected: "LFS??"),
    Layers(
      name: "Nemotron-H", config: ["hybrid_override_pattern": "M-M*-"], expected: "S-SF-?"),
    Layers(
      name: "Gemma 3n, whose last layers read earlier ones' keys",
      config: [
        "model_type": "gemma3n_text", "num_hidden_layers": 5, "num_kv_shared_layers": 2,
        "layer_types": [
          "full_attention", "full_attention", "full_attention", "full_attention",
          "full_attention",
        ],
      ], expected: "FFF--"),
    Layers(
      name: "Llama 3.2 Vision, some of whose layers read the image's keys",
      config: [
        "text_config": ["model_type": "mllama_text_model", "cross_attention_layers": [1, 3]]
      ],
      expected: "F-F-F"),
    Layers(name: "Mamba", config: ["model_type": "mamba"], expected: "SS"),
    Layers(name: "RWKV-7", config: ["model_type": "rwkv7"], expected: "LL"),
    Layers(name: "BERT", config: ["model_type": "bert"], expected: "--"),
    Layers(
      name: "A pattern in words",
      config: ["sliding_window": 64, "sliding_window_pattern": "LLLG"], expected: "????"),
    Layers(
      name: "A window that is no size", config: ["model_type": "mistral", "sliding_window": -1],
      expected: "FF"),
    Layers(
      name: "A period that is no number",
      config: ["attn_layer_period": 0, "attn_layer_offset": -3], expected: "FF"),
  ]

  @Test(arguments: families)
  func layersRememberWhatTheFamilySays(_ layers: Layers) {
    #expect(
      Self.letters(layers.config, layers: layers.expected.count, window: layers.window)
        == layers.expected)
  }

  @Test func noLayerIsBeforeTheFirst() {
    #expect(ModelConfig(document: ["model_type": "llama"]).attention(ofLayer: -1) == nil)
    let jamba = ModelConfig(document: ["model_type": "jamba"])
    #expect(jamba.attention(ofLayer: .max) == .stateSpace)
  }

  @Test func theLatentIsKnown() {
    let config = ModelConfig(
      document: [
        "model_type": "deepseek_v3", "kv_lora_rank": 512, "qk_rope_head_dim": 64,
        "v_head_dim": 128,
      ])
    #expect(config.latentWidth == 512)
    #expect(config.latentRotaryWidth == 64)
    #expect(config.valueHeadDimension == 128)
  }

  struct Experts: Sendable, CustomTestStringConvertible {
    let name: String
    let config: JSONValue
    let all: Int?
    let active: Int?
    let shared: Int
    let width: Int?

    var testDescription: String { name }
  }

  @Test(arguments: [
    Experts(
      name: "Mixtral 8x7B",
      config: ["num_local_experts": 8, "num_experts_per_tok": 2, "intermediate_size": 14336],
      all: 8, active: 2, shared: 0, width: 14336),
    Experts(
      name: "DeepSeek-V3",
      config: [
        "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1,
        "intermediate_size": 18432, "moe_intermediate_size": 2048,
      ], all: 256, active: 8, shared: 1, width: 2048),
    Experts(
      name: "Qwen1.5-MoE-A2.7B",
      config: [
        "num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632,
      ], all: 60, active: 4, shared: 1, width: 1408),
    Experts(
      name: "DBRX",
      config: [
        "ffn_config": ["moe_num_experts": 16, "moe_top_k": 4, "ffn_hidden_size": 10752]
      ], all: 16, active: 4, shared: 0, width: 10752),
    Experts(
      name: "Gemma 4 MoE", config: ["num_experts": 128, "top_k_experts": 8], all: 128, active: 8,
      shared: 0, width: nil),
    Experts(
      name: "more active than there are",
      config: ["num_experts": 4, "num_experts_per_tok": 400], all: 4, active: 4, shared: 0,
      width: nil),
    Experts(
      name: "a dense model", config: ["intermediate_size": 11008], all: nil, active: nil,
      shared: 0, width: nil),
  ])
  func expertsAreCounted(_ model: Experts) {
    let config = ModelConfig(document: model.config)
    #expect(config.expertCount == model.all)
    #expect(config.activeExpertCount == model.active)
    #expect(config.sharedExpertCount == model.shared)
    #expect(config.expertIntermediateSize == model.width)
  }
}
