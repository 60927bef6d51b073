import Foundation

/// How large an output may be, or how exact it must be.
package enum Budget: Sendable, Equatable {
  /// Of all weights of the output, scales and biases counted.
  case bitsPerWeight(Double)
  /// Bytes of the whole output: weights, headers, configuration, carried files.
  case size(Int)
  /// Largest mean relative squared error; the smallest output that stays within it.
  case relativeError(Double)
  /// Most nats of KL divergence, as far as those of single tensors add up; the smallest output that stays
  /// within it.
  case divergence(Double)
  /// As large as with one width for all.
  case uniform(bits: Int, groupSize: Int)

  /// Whether it bounds the error of weights, whatever that does to predictions.
  package var isOfWeights: Bool {
    if case .relativeError = self { true } else { false }
  }

  /// `-10 log10` of the mean relative squared error, at least.
  package static func sqnr(_ decibels: Double) -> Budget {
    .relativeError(pow(10, -decibels / 10))
  }
}
