import Formats

/// What `config.json` says of a model's architecture, under one name each for the spellings that
/// the families use. Every fact is optional: a configuration may be absent, partial or wrong, and
/// nothing here is trusted further than to name and group tensors.
package struct ModelConfig: Sendable, Equatable {
  /// The file as it stands, for writing back with only the edits changed.
  package let document: JSONValue
  /// Members of the root by name: facts are asked for once a layer, of files that may be long.
  private let root: [String: JSONValue]
  /// What multimodal models call the configuration of their language model, by name.
  private let textPart: [String: JSONValue]
  /// Layers that attend to images, and keep no keys of their own.
  let imageLayers: Set<Int>

  package init(document: JSONValue) {
    self.document = document
    let root = document.membersByName
    self.root = root
    let parts = Self.textParts.compactMap { root[$0] }
    textPart = parts.first { $0.members != nil }?.membersByName ?? [:]
    let images = (textPart["cross_attention_layers"] ?? root["cross_attention_layers"])?.arrayValue
    imageLayers = Set((images ?? []).compactMap(\.intValue))
  }

  /// Members that hold the configuration of a multimodal model's language model.
  package static let textParts = ["text_config", "llm_config", "language_config"]

  /// Family name, as in `"model_type": "llama"`.
  package var modelType: String? { root["model_type"]?.stringValue }

  /// The family of the language model: that of the text part where there are several parts.
  package var family: String? { textPart["model_type"]?.stringValue ?? modelType }

  /// Class names, as in `"architectures": ["LlamaForCausalLM"]`.
  package var architectures: [String] {
    root["architectures"]?.arrayValue?.compactMap(\.stringValue) ?? []
  }

  package var hiddenSize: Int? {
    positive("hidden_size", "n_embd", "n_embed", "d_model", "hidden_dim")
  }

  package var intermediateSize: Int? {
    positive("intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner", "d_ff")
  }

  package var layerCount: Int? {
    positive("num_hidden_layers", "n_layer", "num_layers", "n_layers")
  }

  package var vocabularySize: Int? { positive("vocab_size", "padded_vocab_size") }

  package var contextLength: Int? {
    positive("max_position_embeddings", "n_positions", "seq_length", "max_seq_len")
  }

  /// Whether the configuration ties the output projection to the embedding; nil where it is silent.
  package var tiesWordEmbeddings: Bool? {
    root["tie_word_embeddings"]?.boolValue ?? fact("tie_word_embeddings")?.boolValue
  }

  /// The element type that the configuration declares, under its torch name.
  package var declaredDType: DType? {
    switch (fact("torch_dtype") ?? fact("dtype"))?.stringValue {
    case "float16": .f16
    case "bfloat16": .bf16
    case "float32": .f32
    default: nil
    }
  }

  /// The source's own `quantization_config`, as of an FP8 checkpoint.
  package var quantizationConfig: JSONValue? { root["quantization_config"] }

  /// Rows and columns of the blocks that share one FP8 scale.
  package var weightBlockSize: [Int]? {
    let listed =
      quantizationConfig?["weight_block_size"]
      ?? quantizationConfig?["config_groups"]?.members?.lazy
      .compactMap { $0.value["weights"]?["block_structure"] }.first { $0 != .null }
    return listed?.arrayValue?.compactMap(\.intValue)
  }

  /// The member `name` of the text part of a multimodal model, or else of the root.
  package func fact(_ name: String) -> JSONValue? { textPart[name] ?? root[name] }

  /// The first of `names` that holds a positive integer of sane size.
  package func positive(_ names: String...) -> Int? {
    for name in names {
      if let value = Self.positive(fact(name)) { return value }
    }
    return nil
  }

  static func positive(_ value: JSONValue?) -> Int? {
    guard let value = value?.intValue, value > 0, value <= 1 << 40 else { return nil }
    return value
  }
}
