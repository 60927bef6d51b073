/// What a plan makes as small as it can.
package enum LossMeasure: Sendable, Equatable {
  /// Mean of the tensors' relative squared errors, by their weights.
  case relativeError
  /// Sum of the tensors' KL divergences in nats, each as measured with that tensor alone quantized.
  case divergence

  /// Of a plan as a whole, in JSON.
  var totalName: String {
    switch self {
    case .relativeError: "predicted_error"
    case .divergence: "predicted_kl"
    }
  }

  /// Of what it is compared with, in JSON.
  var name: String {
    switch self {
    case .relativeError: "relative_error"
    case .divergence: "kl"
    }
  }
}
