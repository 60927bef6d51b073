import Formats

/// Models whose configurations are published.
package enum PublishedModel: Sendable {
  case llama7B, llama70B, falcon7B, deepSeekV3, gemma3, jamba

  /// Shortened to what the cache depends on.
  package var config: JSONValue {
    switch self {
    case .llama7B:
      [
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "vocab_size": 32000,
      ]
    case .llama70B:
      [
        "model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80,
        "num_attention_heads": 64, "num_key_value_heads": 8,
      ]
    case .falcon7B:
      [
        "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32,
        "num_attention_heads": 71, "num_kv_heads": 71, "multi_query": true,
      ]
    case .deepSeekV3:
      [
        "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
        "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512,
        "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
        "num_nextn_predict_layers": 1,
      ]
    case .gemma3:
      [
        "model_type": "gemma3",
        "text_config": [
          "model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34,
          "sliding_window": 1024,
        ],
      ]
    case .jamba:
      [
        "model_type": "jamba", "num_hidden_layers": 8, "num_attention_heads": 32,
        "num_key_value_heads": 8, "hidden_size": 4096,
      ]
    }
  }

  /// LLaMA-2-7B: 2 * 32000 * 4096 + 32 * (4 * 4096^2 + 3 * 4096 * 11008 + 2 * 4096) + 4096.
  package static let llama7BParameterCount = 6_738_415_616
}
