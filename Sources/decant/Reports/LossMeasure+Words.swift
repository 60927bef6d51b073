import Convert
import Foundation

extension LossMeasure {
  var noun: String {
    switch self {
    case .relativeError: "relative error"
    case .divergence: "KL divergence"
    }
  }

  var heading: String {
    switch self {
    case .relativeError: "Relative error"
    case .divergence: "KL divergence"
    }
  }

  var description: String {
    switch self {
    case .relativeError: "mean of the tensors, by their weights"
    case .divergence: "from the source in nats, as predicted"
    }
  }

  /// With its unit.
  var axis: String {
    switch self {
    case .relativeError: "Mean relative error (logarithmic)"
    case .divergence: "Predicted KL divergence, nats (logarithmic)"
    }
  }

  /// A loss as an SQNR in dB; nil where it is none.
  func decibels(_ loss: Double) -> String? {
    switch self {
    case .relativeError: decibelText(-10 * log10(loss))
    case .divergence: nil
    }
  }
}
