import Model

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
  /// Its share in the mean of relative errors; `CandidateMeasurement` says where it comes from.
  package let weight: Double
  /// What is lost by an error.
  package let cost: ErrorCost
}
