/// Multi-head latent attention: keys and values are expanded from a normalized latent vector, and one
/// rotated key is shared by all heads. DeepSeek-V2, arXiv 2405.04434, section 2.1.
package struct LatentAttentionDescription: Sendable, Equatable {
  /// The queries' own latent vector, where there is one.
  package struct QueryLatent: Sendable, Equatable {
    package let down: LinearDescription
    package let norm: NormDescription
  }

  package let queryLatent: QueryLatent?
  /// From the queries' latent vector or from the input to `[heads, plainWidth + rotary.width]`.
  package let query: LinearDescription
  /// To the latent vector, then the key that is rotated.
  package let keyValueDown: LinearDescription
  package let latentWidth: Int
  package let latentNorm: NormDescription
  /// To `[heads, plainWidth + heads.valueWidth]`.
  package let keyValueUp: LinearDescription
  package let output: LinearDescription
  /// `width` is that of all of a query, `keyValueCount` equals `count`.
  package let heads: AttentionHeads
  /// Features of a query that are not rotated, and come first.
  package let plainWidth: Int
  package let rotary: RotaryDescription
  package let scoring: AttentionScoring
}
