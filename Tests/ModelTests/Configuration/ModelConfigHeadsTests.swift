import Formats
import Model
import Testing

/// Head counts and widths of published configurations, shortened to the members that matter.
@Suite struct ModelConfigHeadsTests {
  struct Published: Sendable, CustomTestStringConvertible {
    let name: String
    let config: JSONValue
    let hidden: Int?
    let keyValueHeads: Int?
    let headDimension: Int?

    var testDescription: String { name }
  }

  static let published: [Published] = [
    Published(
      name: "Bloom 7B1",
      config: ["model_type": "bloom", "n_embed": 4096, "n_layer": 30, "num_attention_heads": 32],
      hidden: 4096, keyValueHeads: 32, headDimension: 128),
    // The 71 is not read by the model's code: one key head serves all queries.
    Published(
      name: "Falcon-7B",
      config: [
        "model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71,
        "num_kv_heads": 71, "multi_query": true, "new_decoder_architecture": false,
      ],
      hidden: 4544, keyValueHeads: 1, headDimension: 64),
    Published(
      name: "Falcon-7B, silent about the decoder",
      config: [
        "model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71,
        "num_kv_heads": 71, "multi_query": true,
      ],
      hidden: 4544, keyValueHeads: 1, headDimension: 64),
    Published(
      name: "Falcon-7B, first publication",
      config: [
        "model_type": "RefinedWebModel", "hidden_size": 4544, "n_head": 71, "multi_query": true,
      ],
      hidden: 4544, keyValueHeads: 1, headDimension: 64),
    Published(
      name: "Falcon-40B",
      config: [
        "model_type": "falcon", "hidden_size": 8192, "num_attention_heads": 128,
        "num_kv_heads": 8, "multi_query": true, "new_decoder_architecture": true,
      ],
      hidden: 8192, keyValueHeads: 8, headDimension: 64),
    Published(
      name: "Falcon-RW-1B",
      config: [
        "model_type": "falcon", "hidden_size": 2048, "num_attention_heads": 32,
        "num_kv_heads": 32, "multi_query": false, "new_decoder_architecture": false,
      ],
      hidden: 2048, keyValueHeads: 32, headDimension: 64),
    Published(
      name: "ChatGLM3-6B",
      config: [
        "model_type": "chatglm", "hidden_size": 4096, "num_attention_heads": 32,
        "kv_channels": 128, "multi_query_attention": true, "multi_query_group_num": 2,
      ],
      hidden: 4096, keyValueHeads: 2, headDimension: 128),
    Published(
      name: "ChatGLM with a key for each head",
      config: [
        "model_type": "chatglm", "hidden_size": 4096, "num_attention_heads": 32,
        "kv_channels": 128, "multi_query_attention": false, "multi_query_group_num": 2,
      ],
      hidden: 4096, keyValueHeads: 32, headDimension: 128),
    Published(
      name: "StarCoder",
      config: ["model_type": "gpt_bigcode", "n_embd": 6144, "n_head": 48, "multi_query": true],
      hidden: 6144, keyValueHeads: 1, headDimension: 128),
    Published(
      name: "GPT-BigCode, silent: shares by default",
      config: ["model_type": "gpt_bigcode", "n_embd": 6144, "n_head": 48],
      hidden: 6144, keyValueHeads: 1, headDimension: 128),
    Published(
      name: "GPT-BigCode with a key for each head",
      config: ["model_type": "gpt_bigcode", "n_embd": 6144, "n_head": 48, "multi_query": false],
      hidden: 6144, keyValueHeads: 48, headDimension: 128),
    Published(
      name: "Gemma 7B, whose heads are wider than the model",
      config: [
        "model_type": "gemma", "hidden_size": 3072, "num_attention_heads": 16,
        "num_key_value_heads": 16, "head_dim": 256,
      ],
      hidden: 3072, keyValueHeads: 16, headDimension: 256),
    Published(
      name: "Qwen3-0.6B",
      config: [
        "model_type": "qwen3", "hidden_size": 1024, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 128,
      ],
      hidden: 1024, keyValueHeads: 8, headDimension: 128),
    // Published without the members that equal the defaults of its class.
    Published(
      name: "Gemma 3 4B",
      config: [
        "model_type": "gemma3",
        "text_config": ["model_type": "gemma3_text", "hidden_size": 2560, "sliding_window": 1024],
      ],
      hidden: 2560, keyValueHeads: 4, headDimension: 256),
    Published(
      name: "A text part beside facts of the whole",
      config: [
        "model_type": "paligemma", "hidden_size": 2048, "num_attention_heads": 99,
        "text_config": [
          "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        ],
      ],
      hidden: 4096, keyValueHeads: 8, headDimension: 128),
    Published(
      name: "MPT with shared keys",
      config: [
        "model_type": "mpt", "d_model": 4096, "n_heads": 32, "attn_config": ["kv_n_heads": 8],
      ],
      hidden: 4096, keyValueHeads: 8, headDimension: 128),
    Published(
      name: "Mamba, which has no heads",
      config: ["model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64],
      hidden: 2560, keyValueHeads: nil, headDimension: nil),
  ]

  @Test(arguments: published)
  func countsAreThoseOfTheModelsCode(_ model: Published) {
    let config = ModelConfig(document: model.config)
    #expect(config.hiddenSize == model.hidden)
    #expect(config.keyValueHeadCount == model.keyValueHeads)
    #expect(config.headDimension == model.headDimension)
  }

  @Test(
    arguments: [
      ["num_key_value_heads": 0], ["num_key_value_heads": -8],
      ["num_key_value_heads": 9_223_372_036_854_775_807], ["num_key_value_heads": "8"],
      ["num_key_value_heads": .number("8.5")], ["num_key_value_heads": [8, 4]],
    ] as [JSONValue])
  func countsThatMakeNoSenseAreNotFacts(_ facts: JSONValue) {
    var document = facts
    document["num_attention_heads"] = 32
    #expect(ModelConfig(document: document).keyValueHeadCount == 32)
  }
}
