/// What `config.json` says of a model's architecture, under one name each for the spellings that
/// the families use. Every fact is optional: a configuration may be absent, partial or wrong, and
/// nothing here is trusted further than to name and group tensors.
package struct ModelConfig: Sendable, Equatable {
  /// The file as it stands, for writing back with only the edits changed.
  package var document: JSONValue

  package init(document: JSONValue) { self.document = document }

  /// Family name, as in `"model_type": "llama"`.
  package var modelType: String? { document["model_type"]?.stringValue }

  /// Class names, as in `"architectures": ["LlamaForCausalLM"]`.
  package var architectures: [String] {
    document["architectures"]?.arrayValue?.compactMap(\.stringValue) ?? []
  }

  package var hiddenSize: Int? { positive("hidden_size", "n_embd", "d_model", "hidden_dim") }

  package var intermediateSize: Int? {
    positive("intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner", "d_ff")
  }

  package var layerCount: Int? {
    positive("num_hidden_layers", "n_layer", "num_layers", "n_layers")
  }

  package var headCount: Int? { positive("num_attention_heads", "n_head", "n_heads") }

  /// Key and value heads; equal to `headCount` where the configuration names none.
  package var keyValueHeadCount: Int? {
    if let count = positive("num_key_value_heads", "multi_query_group_num") { return count }
    if let count = positive("num_kv_heads", "n_head_kv") { return count }
    if fact("multi_query")?.boolValue == true { return 1 }
    return headCount
  }

  package var headDimension: Int? {
    if let size = positive("head_dim", "kv_channels") { return size }
    guard let hidden = hiddenSize, let heads = headCount, hidden % heads == 0 else { return nil }
    return hidden / heads
  }

  package var vocabularySize: Int? { positive("vocab_size", "padded_vocab_size") }

  package var contextLength: Int? {
    positive("max_position_embeddings", "n_positions", "seq_length", "max_seq_len")
  }

  package var expertCount: Int? {
    positive("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
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

  /// The member `name`, at the root or, for multimodal models, in the text part.
  package func fact(_ name: String) -> JSONValue? {
    document[name] ?? document["text_config"]?[name]
  }

  /// The first of `names` that holds a positive integer of sane size.
  package func positive(_ names: String...) -> Int? {
    for name in names {
      if let value = fact(name)?.intValue, value > 0, value <= 1 << 40 { return value }
    }
    return nil
  }
}
