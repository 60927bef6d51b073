import Convert

/// What Qllm-Eval says of a point for understanding and writing text, the tasks that a perplexity is nearest to.
package enum PaperStanding: String, Sendable, CaseIterable {
  case recommended
  /// Visible loss on some models: 3 bits; 4-bit weights with a 4-bit cache, where it recommends 8-bit weights.
  case withCare = "with_care"
  /// At chance level: 2 bits, and 4-bit activations.
  case advisedAgainst = "advised_against"

  /// Source: arXiv 2402.18158, as in `WidthStanding` and in the presets.
  package init(_ point: QuantizationPoint) {
    let widths = [
      point.weights.map { WidthStanding.weights(bits: $0) },
      point.activations.map { WidthStanding.activations(bits: $0) },
      point.cache.map { WidthStanding.cache(bits: $0) },
    ]
    switch widths.compactMap({ $0 }).min() {
    case .fails: self = .advisedAgainst
    case .lossy: self = .withCare
    case .usable, nil:
      let storesBoth = point.cache != nil && point.weights != nil
      self = storesBoth && (point.weights ?? 16) < 8 ? .withCare : .recommended
    }
  }
}
