/// A normalization of groups of features, followed by factors and summands for each feature.
///
/// RMS: `y = x / sqrt(mean(x²) + epsilon) * w` (Zhang and Sennrich, arXiv 1910.07467, equation 4).
/// Layer: `y = (x - mean) / sqrt(variance + epsilon) * w + b` (Ba et al., arXiv 1607.06450, equation 4).
package struct NormDescription: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case rms
    /// Stored weights are what the factors exceed 1 by.
    case rmsAboveOne
    case layer
  }

  package let kind: Kind
  /// The name of the module, for messages.
  package let module: String
  /// Tensors of factors; several are for consecutive features. None: factors are 1.
  package let weights: [String]
  /// Tensors of summands, likewise.
  package let biases: [String]
  /// The shape of each of these tensors; where together they have fewer elements than there are features,
  /// they are repeated.
  package let shape: [Int]
  package let epsilon: Float
  /// Of the vectors that are normalized.
  package let features: Int
  /// Consecutive features that share a mean; divides `features`.
  package let groupSize: Int
}
