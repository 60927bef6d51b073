import Convert
import Formats

/// Widths of weights, of activations and of the cache of keys and values; at least one of them.
package struct QuantizationPoint: Sendable, Hashable {
  /// Those of the packed layout.
  package static let weightBits = AffineLayout.allowedBits
  package static let activationBits = 2...8
  package static let cacheBits = 2...8

  /// Nil for what is not quantized.
  package let weights: Int?
  package let activations: Int?
  package let cache: Int?

  /// Nil for widths that there are not, and for none at all.
  package init?(weights: Int? = nil, activations: Int? = nil, cache: Int? = nil) {
    guard weights != nil || activations != nil || cache != nil,
      weights.map(Self.weightBits.contains) ?? true,
      activations.map(Self.activationBits.contains) ?? true,
      cache.map(Self.cacheBits.contains) ?? true
    else { return nil }
    self.weights = weights
    self.activations = activations
    self.cache = cache
  }

  /// As the paper calls it: `W4A8`, `KV4`.
  package var name: String {
    let parts = [("W", weights), ("A", activations), ("KV", cache)]
    return parts.compactMap { letter, bits in bits.map { "\(letter)\($0)" } }.joined()
  }

  /// The grid of Qllm-Eval (arXiv 2402.18158): weights alone, with activations, the cache alone, and both.
  package static let qllmEval: [QuantizationPoint] =
    [8, 4, 3, 2].compactMap { QuantizationPoint(weights: $0) }
    + [(8, 8), (4, 8), (4, 4)].compactMap { QuantizationPoint(weights: $0.0, activations: $0.1) }
    + [8, 4, 3, 2].compactMap { QuantizationPoint(cache: $0) }
    + [(8, 8), (8, 4), (4, 4)].compactMap { QuantizationPoint(weights: $0.0, cache: $0.1) }
}
