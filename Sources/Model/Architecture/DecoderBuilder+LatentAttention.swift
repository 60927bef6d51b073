import Formats

extension DecoderBuilder {
  mutating func latentAttention(
    _ prefix: String
  ) throws(ArchitectureError) -> LatentAttentionDescription {
    let count = try headCount()
    let plain = try config.size(["qk_nope_head_dim"], limit: Self.largestHeadWidth)
    let rotated = try config.size(["qk_rope_head_dim"], limit: Self.largestHeadWidth)
    let value = try config.size(["v_head_dim"], limit: Self.largestHeadWidth)
    let latent = try config.size(["kv_lora_rank"])
    let queryRank = try config.sizeIfPresent(["q_lora_rank"])
    let at = prefix + "self_attn."
    let bias = try config.flag(family.projectionBias)
    // Whatever the configuration says of the other norms.
    func inner(_ name: String, _ width: Int) -> NormDescription {
      norm(at + name, features: width, epsilon: 1e-6)
    }
    let parameters = try rotaryParameters(ofWindow: false)
    let scale = (1 / Double(plain + rotated).squareRoot()) * parameters.latentScale
    let heads = AttentionHeads(
      count: count, keyValueCount: count, width: plain + rotated, valueWidth: value)
    return LatentAttentionDescription(
      queryLatent: queryRank.map {
        .init(
          down: linear(at + "q_a_proj", bias: bias, hiddenSize, $0),
          norm: inner("q_a_layernorm", $0))
      },
      query: linear(
        at + (queryRank == nil ? "q_proj" : "q_b_proj"), bias: false, queryRank ?? hiddenSize,
        count * heads.width),
      keyValueDown: linear(at + "kv_a_proj_with_mqa", bias: bias, hiddenSize, latent + rotated),
      latentWidth: latent, latentNorm: inner("kv_a_layernorm", latent),
      keyValueUp: linear(at + "kv_b_proj", bias: false, latent, count * (plain + value)),
      output: linear(
        at + "o_proj", bias: try config.flag(family.outputBias), count * value, hiddenSize),
      heads: heads, plainWidth: plain,
      rotary: try parameters.description(headWidth: rotated, pairing: family.rotary.pairing),
      scoring: AttentionScoring(scale: Float(scale), cap: nil, window: nil, sinks: nil))
  }
}
