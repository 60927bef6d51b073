import Foundation

/// How much of the spread between the input channels of a layer to move from its inputs into its
/// weights: inputs are divided by `s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)`, weights multiplied
/// (SmoothQuant, arXiv 2211.10438, Eq. 4).
package struct Smoothing: Sendable, Equatable {
  /// 1 moves all of the inputs' spread into the weights, 0 all of the weights' into the inputs.
  package let alpha: Double
  /// Largest channel over the median channel, of the inputs and of the weights, after smoothing.
  package let activationSpread: Double
  package let weightSpread: Double

  /// Alphas that are tried, in tenths.
  package static let tenths = 3...9

  init(alpha: Double, activationSpread: Double, weightSpread: Double) {
    self.alpha = alpha
    self.activationSpread = activationSpread
    self.weightSpread = weightSpread
  }

  /// The alpha, in steps of 0.1, whose worse side is best, each side's spread counted in steps of
  /// its width: `max(spread(X / s) / 2^a, spread(W s) / 2^w)`; the lowest of several.
  ///
  /// Both sides are powers of the same products `max|X_j| max|W_j|`, with exponents `1 - alpha` and
  /// `alpha`. With equal widths 0.5 is the best therefore, whatever the channels; weights of fewer
  /// bits than the inputs ask for less.
  ///
  /// - Parameters:
  ///   - activations: AbsMax of every input channel.
  ///   - weights: the same of the weights that meet them; of several layers with the same inputs,
  ///     the largest. Channels where either is 0 take no part.
  /// - Returns: nil where no alpha is better than leaving both sides as they are, and for the inputs
  ///   too, or where the numbers of channels differ.
  init?(activations: [Float], weights: [Float], activationBits: Int, weightBits: Int) {
    guard activations.count == weights.count else { return nil }
    let channels = zip(activations, weights).filter { $0 > 0 && $1 > 0 }
      .map { (input: Double($0), weight: Double($1)) }
    func badness(_ inputSpread: Double, _ weightSpread: Double) -> Double {
      max(
        inputSpread * pow(2, -Double(activationBits)), weightSpread * pow(2, -Double(weightBits)))
    }
    guard let inputSpread = Self.spread(channels.map(\.input)),
      let weightSpread = Self.spread(channels.map(\.weight))
    else { return nil }
    var least = badness(inputSpread, weightSpread)
    var best: Smoothing?
    for tenth in Self.tenths {
      let alpha = Double(tenth) / 10
      let scales = channels.map {
        Self.scale(input: $0.input, weight: $0.weight, alpha: alpha)
      }
      guard let inputs = Self.spread(zip(channels, scales).map { $0.input / $1 }),
        let weights = Self.spread(zip(channels, scales).map { $0.weight * $1 }),
        inputs < inputSpread, badness(inputs, weights) < least
      else { continue }
      least = badness(inputs, weights)
      best = Smoothing(alpha: alpha, activationSpread: inputs, weightSpread: weights)
    }
    guard let best else { return nil }
    self = best
  }

  /// What a channel's inputs are divided by, given the largest magnitude of both; none of them 0.
  static func scale(input: Double, weight: Double, alpha: Double) -> Double {
    pow(input, alpha) / pow(weight, 1 - alpha)
  }

  /// The largest over the median. Nil of nothing, and where the median vanishes.
  static func spread(_ channels: [Double]) -> Double? {
    let median = StatisticsSummary.median(channels)
    return median > 0 ? (channels.max() ?? 0) / median : nil
  }
}
