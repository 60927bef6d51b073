/// A causal convolution of each channel with a few weights of its own, followed by SiLU.
package struct ConvolutionDescription: Sendable, Equatable {
  /// `[channels, 1, taps]`; the last tap is for the current token.
  package let weight: String
  package let bias: String?
  package let channels: Int
  package let taps: Int
}

/// A selective state-space mixer. Gu and Dao, arXiv 2312.00752, algorithm 2.
package struct MambaDescription: Sendable, Equatable {
  /// To u, then the gate z, of `channels` each.
  package let input: LinearDescription
  package let convolution: ConvolutionDescription
  /// To the step's low-rank form, then B and C.
  package let parameters: LinearDescription
  package let step: LinearDescription
  package let output: LinearDescription
  /// `[channels, state]`: A is minus the exponential of it.
  package let logDecay: String
  /// `[channels]`: D.
  package let skip: String
  package let channels: Int
  package let stateSize: Int
  package let stepRank: Int
}

/// The same with one decay for each head. Dao and Gu, arXiv 2405.21060, section 7.
package struct Mamba2Description: Sendable, Equatable {
  /// To the gate z, then (u, B, C), then a step for each head.
  package let input: LinearDescription
  /// Of u, B and C together.
  package let convolution: ConvolutionDescription
  package let output: LinearDescription
  /// Of each group's slice of the gated output.
  package let norm: NormDescription
  /// `[heads]` each: A is minus the exponential of the first, D the second; the third is added to steps.
  package let logDecay: String
  package let skip: String
  package let stepBias: String
  package let headCount: Int
  package let headWidth: Int
  /// Heads of a group share B and C; divides `headCount`.
  package let groupCount: Int
  package let stateSize: Int
  /// Steps are clamped to this range.
  package let leastStep: Float
  package let largestStep: Float

  package var channels: Int { headCount * headWidth }
}
