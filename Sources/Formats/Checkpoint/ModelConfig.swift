/// What `config.json` says of a model's architecture, under one name each for the spellings that
/// the families use. Every fact is optional: a configuration may be absent, partial or wrong, and
/// nothing here is trusted further than to name and group tensors.
package struct ModelConfig: Sendable, Equatable {
  /// The file as it stands, for writing back with only the edits changed.
  package var document: JSONValue

  package init(document: JSONValue) { self.document = document }

  /// Family name, as in `"model_type": "llama"`.
  package var modelType: String? { document["model_type"]?.stringValue }

  /// The family of the language model: that of the text part where there are several parts.
  package var family: String? { textPart?["model_type"]?.stringValue ?? modelType }

  /// Class names, as in `"architectures": ["LlamaForCausalLM"]`.
  package var architectures: [String] {
    document["architectures"]?.arrayValue?.compactMap(\.stringValue) ?? []
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
    document["tie_word_embeddings"]?.boolValue ?? fact("tie_word_embeddings")?.boolValue
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
  package var quantizationConfig: JSONValue? { document["quantization_config"] }

  /// Rows and columns of the blocks that share one FP8 scale.
  package var weightBlockSize: [Int]? {
    quantizationConfig?["weight_block_size"]?.arrayValue?.compactMap(\.intValue)
  }

  /// The member `name` of the text part of a multimodal model, or else of the root.
  package func fact(_ name: String) -> JSONValue? { textPart?[name] ?? document[name] }

  /// What multimodal models call the configuration of their language model.
  private var textPart: JSONValue? {
    for name in ["text_config", "llm_config", "language_config"] {
      if let part = document[name], part.members != nil { return part }
    }
    return nil
  }

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
