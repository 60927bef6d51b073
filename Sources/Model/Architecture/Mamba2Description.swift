/// A state-space mixer as Mamba's, with one decay for each head. Dao and Gu, arXiv 2405.21060, section 7.
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
