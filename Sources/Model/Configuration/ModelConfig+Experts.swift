// Mixtures of experts. DBRX has its numbers in a part of their own, `ffn_config`.

extension ModelConfig {
  /// Experts of a layer that a router chooses among, without the shared ones.
  package var expertCount: Int? {
    positive("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
      ?? Self.positive(fact("ffn_config")?["moe_num_experts"])
  }

  /// Experts that see each token, without the shared ones; never more than there are.
  package var activeExpertCount: Int? {
    let count =
      positive(
        "num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_top_k",
        "top_k_experts", "moe_topk", "moe_k") ?? Self.positive(fact("ffn_config")?["moe_top_k"])
    guard let count, let expertCount else { return count }
    return min(count, expertCount)
  }

  /// Experts that every token visits; 0 where the configuration names none.
  package var sharedExpertCount: Int {
    // Qwen2-MoE gives the width of its one shared expert and no count.
    positive("n_shared_experts", "num_shared_experts", "moe_num_shared_experts")
      ?? (positive("shared_expert_intermediate_size") == nil ? 0 : 1)
  }

  /// Inner width of one expert; that of the dense layers where none of its own is given.
  package var expertIntermediateSize: Int? {
    guard expertCount != nil else { return nil }
    return positive("moe_intermediate_size") ?? Self.positive(
      fact("ffn_config")?["ffn_hidden_size"])
      ?? intermediateSize
  }
}
