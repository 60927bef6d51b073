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
