// The rules follow huggingface/transformers, `models/<model_type>/configuration_<model_type>.py`,
// which derive `layer_types` where a configuration does not list them.

extension ModelConfig {
  /// What layer `layer`, from 0, remembers; nil where the configuration says it in words that are
  /// not known here.
  package func attention(ofLayer layer: Int) -> LayerAttention? {
    guard layer >= 0 else { return nil }
    if let constant = constantAttention { return constant }
    if let shared = positive("num_kv_shared_layers"), let layerCount, layer >= layerCount - shared {
      return LayerAttention.none
    }
    if imageLayers.contains(layer) { return LayerAttention.none }
    if let list = (fact("layer_types") ?? fact("layers_block_type"))?.arrayValue {
      return layer < list.count ? attention(named: list[layer].stringValue) : nil
    }
    if let cycle = fact("block_types")?.arrayValue, !cycle.isEmpty {
      return attention(named: cycle[layer % cycle.count].stringValue)
    }
    if let pattern = fact("hybrid_override_pattern")?.stringValue {
      return attention(ofLayer: layer, letters: pattern)
    }
    if let period = positive("attn_layer_period") ?? (family == "jamba" ? 8 : nil) {
      let offset = fact("attn_layer_offset")?.intValue ?? 4
      return layer % period == offset ? .full : .stateSpace
    }
    if let interval = positive("full_attention_interval") ?? (family == "qwen3_next" ? 4 : nil) {
      return (layer % interval) + 1 == interval ? .full : .linear
    }
    return softmaxAttention(ofLayer: layer)
  }

  /// Of families all of whose layers are alike and keep no keys.
  private var constantAttention: LayerAttention? {
    switch family {
    case "mamba", "mamba2", "falcon_mamba": .stateSpace
    case "rwkv", "rwkv5", "rwkv6", "rwkv7", "xlstm": .linear
    case "bert", "roberta", "xlm-roberta", "distilbert", "electra", "modernbert":
      LayerAttention.none
    default: nil
    }
  }

  private func attention(named name: String?) -> LayerAttention? {
    switch name {
    case "full_attention", "attention": .full
    case "sliding_attention": windowed(slidingWindow)
    case "chunked_attention": windowed(positive("attention_chunk_size"))
    case "linear_attention": .linear
    case "mamba", "mamba2", "recurrent", "conv": .stateSpace
    case "mlp", "moe": LayerAttention.none
    default: nil
    }
  }

  /// Nemotron-H: `M` Mamba, `*` attention, `-` a feed-forward layer alone.
  private func attention(ofLayer layer: Int, letters: String) -> LayerAttention? {
    guard layer < letters.utf8.count else { return nil }
    return switch letters.utf8[letters.utf8.index(letters.utf8.startIndex, offsetBy: layer)] {
    case UInt8(ascii: "M"): .stateSpace
    case UInt8(ascii: "*"): .full
    case UInt8(ascii: "-"), UInt8(ascii: "E"): LayerAttention.none
    default: nil
    }
  }

  private func softmaxAttention(ofLayer layer: Int) -> LayerAttention? {
    if family == "llama4_text" || family == "llama4" {
      // Layers without rotary positions, each fourth by default, see everything.
      let flags = fact("no_rope_layers")?.arrayValue ?? []
      let isChunked = flags.isEmpty ? layer % 4 != 3 : layer < flags.count && flags[layer] == 1
      return isChunked ? windowed(positive("attention_chunk_size")) : .full
    }
    guard let slidingWindow else { return .full }
    let pattern = fact("sliding_window_pattern") ?? fact("_sliding_window_pattern")
    if let pattern, pattern != .null {
      guard let period = Self.positive(pattern) else { return nil }
      return isLast(layer, ofEach: period) ? .full : .window(tokens: slidingWindow)
    }
    switch family {
    case "gemma2", "gpt_oss": return layer % 2 == 1 ? .full : .window(tokens: slidingWindow)
    case "gemma3", "gemma3_text":
      return isLast(layer, ofEach: 6) ? .full : .window(tokens: slidingWindow)
    case "cohere2": return isLast(layer, ofEach: 4) ? .full : .window(tokens: slidingWindow)
    default:
      let first = fact("max_window_layers")?.intValue ?? (isQwen ? 28 : 0)
      return layer >= first ? .window(tokens: slidingWindow) : .full
    }
  }

  private func isLast(_ layer: Int, ofEach period: Int) -> Bool { layer % period == period - 1 }

  /// Full attention where no window is known: what is said to be needed is then never too little.
  private func windowed(_ tokens: Int?) -> LayerAttention {
    tokens.map { .window(tokens: $0) } ?? .full
  }

  /// Tokens that sliding-window layers see; nil where there are no such layers. Qwen's files hold a
  /// window that is off unless `use_sliding_window` turns it on.
  package var slidingWindow: Int? {
    guard flag("use_sliding_window") ?? !isQwen else { return nil }
    return positive("sliding_window")
  }

  private var isQwen: Bool { family?.hasPrefix("qwen") ?? false }
}
