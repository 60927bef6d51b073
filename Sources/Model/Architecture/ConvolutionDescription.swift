/// A causal convolution of each channel with a few weights of its own, followed by SiLU.
package struct ConvolutionDescription: Sendable, Equatable {
  /// `[channels, 1, taps]`; the last tap is for the current token.
  package let weight: String
  package let bias: String?
  package let channels: Int
  package let taps: Int
}
