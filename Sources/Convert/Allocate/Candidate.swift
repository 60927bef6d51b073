import Formats
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

/// Everything that was measured of one tensor, for choosing.
package struct TensorCandidates: Sendable {
  package let name: String
  package let identity: TensorIdentity
  package let shape: [UInt64]
  package let weightCount: Int
  /// Whether mean squares of the inputs weighed the errors.
  package let isWeighted: Bool
  /// By rising bits, then falling group size.
  package let candidates: [Candidate]
  /// Its share in the total error. A tensor that does the work of several layers counts as many: one
  /// for each part that is fused in it. The experts of a block share the weight of one layer, since
  /// their outputs are averaged.
  package let weight: Double
}

/// What may be chosen.
package struct CandidateOptions: Sendable {
  /// In rising order.
  package var bits = [3, 4, 5, 6, 8]
  package var groupSizes = [32, 64, 128]
  package var method = QuantizationMethod.search
  /// Weights of a tensor that are measured; nil for all.
  package var sampleSize: Int? = 1 << 20

  package init() {}

  /// The layouts that divide a number of inputs, by rising bits, then falling group size.
  func layouts(inputs: Int) -> [AffineLayout] {
    bits.flatMap { bits in
      groupSizes.sorted(by: >).compactMap { size in
        inputs % size == 0 ? AffineLayout(bits: bits, groupSize: size) : nil
      }
    }
  }
}
