import Formats
import Model
import Stats

/// One way to store a tensor, with what it takes and what it loses.
package struct Candidate: Sendable, Equatable {
  package let layout: AffineLayout
  /// Exact: packed words, scales and biases.
  package let byteCount: Int
  /// `sum h Δ²` over `sum h w²`, with `h` the mean square of the input that a weight meets, or 1
  /// where that is unknown. The relative squared error of the layer's outputs, as far as inputs of
  /// different channels are uncorrelated (arXiv 2210.17323 with the diagonal of H; llama.cpp's
  /// objective with an importance matrix).
  package let relativeError: Double
  /// One standard deviation of `relativeError` from measuring a sample of the rows, as a share of
  /// it; 0 where all rows were measured.
  package let samplingError: Double
}
