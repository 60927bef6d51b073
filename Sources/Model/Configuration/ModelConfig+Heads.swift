// Heads as the families' code counts them, which is not always what the members seem to say.
// Sources: huggingface/transformers, `models/<model_type>/configuration_<model_type>.py`, and the
// `configuration_*.py` files that the publishers of Falcon and ChatGLM put beside their weights.

extension ModelConfig {
  /// Query heads.
  package var headCount: Int? {
    positive("num_attention_heads", "n_head", "n_heads") ?? (isGemma3 ? 8 : nil)
  }

  /// Key and value heads; equal to `headCount` where the configuration names none.
  package var keyValueHeadCount: Int? {
    switch family {
    case "bloom", "gpt_neox", "gpt2": headCount
    case "chatglm":
      flag("multi_query_attention") == true ? positive("multi_query_group_num") ?? 1 : headCount
    case "RefinedWeb": listedKeyValueHeadCount ?? headCount
    case "falcon" where flag("new_decoder_architecture") == true:
      listedKeyValueHeadCount ?? headCount
    // `num_kv_heads` is not read here: Falcon-7B's configuration has 71 there, and one.
    case "falcon", "RefinedWebModel", "gpt_bigcode": flag("multi_query") == false ? headCount : 1
    default: listedKeyValueHeadCount ?? (flag("multi_query") == true ? 1 : headCount)
    }
  }

  private var listedKeyValueHeadCount: Int? {
    positive("num_key_value_heads", "multi_query_group_num", "num_kv_heads", "n_head_kv")
      ?? Self.positive(fact("attn_config")?["kv_n_heads"]) ?? (isGemma3 ? 4 : nil)
  }

  /// Width of a head's query and key. As given, even where the heads together are then wider than
  /// the model (Gemma, Qwen3).
  package var headDimension: Int? {
    if let size = positive("head_dim", "kv_channels") { return size }
    if isGemma3 { return 256 }
    guard let hidden = hiddenSize, let heads = headCount, hidden % heads == 0 else { return nil }
    return hidden / heads
  }

  /// Width of a head's value.
  package var valueHeadDimension: Int? { positive("v_head_dim") ?? headDimension }

  /// Width of the latent that multi-head latent attention caches in place of keys and values; nil
  /// for all other attention. Source: DeepSeek-V2, arXiv 2405.04434, section 2.1.2.
  package var latentWidth: Int? { positive("kv_lora_rank") }

  /// Width of the rotary key that is cached beside the latent, one for all heads.
  package var latentRotaryWidth: Int? { positive("qk_rope_head_dim") }

  /// The published files leave out what equals the defaults of `Gemma3TextConfig`.
  private var isGemma3: Bool { family == "gemma3" || family == "gemma3_text" }

  func flag(_ name: String) -> Bool? { fact(name)?.boolValue }
}
