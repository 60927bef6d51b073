/// Figures of every channel.
package struct ChannelFigures: Sendable {
  package let absMax: [Float]
  /// Activations only.
  package var meanMagnitude: [Double]?
  package var meanSquare: [Double]?
  /// Weights only: of the output channels.
  package var outputAbsMax: [Float]?
}
