import Stats

/// Outliers among the inputs of a linear layer.
package struct ActivationOutliers: Sendable {
  /// A channel with magnitudes of at least 6, and at how many tokens.
  package struct Feature: Sendable {
    package let channel: Int
    package let tokenCount: Int
  }

  /// LLM.int8() (arXiv 2208.07339, section 4.1), by channel.
  package let features: [Feature]
  package let tokenCount: Int
  /// Massive activations (arXiv 2402.17762, section 2.2): beyond 100, and at least 1000 times the
  /// median magnitude. All of them are counted, the largest are listed.
  package let massiveCount: Int
  package let massive: [LargestValues.Entry]
}
