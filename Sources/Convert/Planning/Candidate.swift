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
  /// Its share in the total error; `CandidateMeasurement` says where it comes from.
  package let weight: Double
}

/// What may be chosen.
package struct CandidateOptions: Sendable {
  /// In rising order.
  package var bits = [3, 4, 5, 6, 8]
  package var groupSizes = [32, 64, 128]
  /// Widths that are settled; the last one that matches a tensor holds.
  package var overrides: [ConversionOptions.Override] = []
  package var method = QuantizationMethod.search
  /// Weights of a tensor that are measured; nil for all.
  package var sampleSize: Int? = 1 << 20

  package init() {}

  /// The layouts that a tensor may have, by rising bits, then falling group size. Where none of the
  /// group sizes divides its inputs, the largest smaller one that does, as in a conversion.
  func layouts(of tensor: TensorPlan) -> [AffineLayout] {
    let override = overrides.last { $0.pattern.matches(tensor.name) }
    let wanted = override?.groupSize.map { [$0] } ?? groupSizes
    let fitting = AffineLayout.allowedGroupSizes.filter { tensor.inputCount % $0 == 0 }
    var sizes = wanted.filter(fitting.contains)
    if sizes.isEmpty, let largest = fitting.filter({ $0 < wanted.max() ?? 0 }).max() {
      sizes = [largest]
    }
    return (override.map { [$0.bits] } ?? bits).flatMap { bits in
      sizes.sorted(by: >).compactMap { AffineLayout(bits: bits, groupSize: $0) }
    }
  }
}
