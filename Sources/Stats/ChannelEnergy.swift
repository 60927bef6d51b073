import Foundation

/// How the mean square of a layer's inputs is spread over its channels.
///
/// The figures of llama.cpp's `imatrix --show-statistics`: with `a_j = E[x_j²]`, its sum, extremes,
/// mean and standard deviation, the share of channels that are active, the entropy of
/// `a_j / sum a`, and the share of channels that stand out (ZD score, arXiv 2406.17415).
package struct ChannelEnergy: Sendable, Equatable {
  package let channelCount: Int
  package let sum: Double
  package let minimum: Double
  package let maximum: Double
  package let mean: Double
  /// Of the population.
  package let standardDeviation: Double
  /// Share of channels with a mean square beyond 1e-5.
  package let activeShare: Double
  /// In bits; nil where all is zero.
  package let entropy: Double?
  /// Entropy over its largest possible value, `log2` of the channels.
  package let normalizedEntropy: Double?
  /// Share of channels more than one standard deviation above the mean.
  package let outlierShare: Double

  /// - Parameter meanSquares: by channel, not negative.
  /// - Returns: nil without channels.
  package init?(_ meanSquares: some Collection<Float>) {
    let values = meanSquares.map(Double.init)
    guard let first = values.first else { return nil }
    let count = Double(values.count)
    channelCount = values.count
    let sum = values.reduce(0, +)
    let mean = sum / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    self.sum = sum
    self.mean = mean
    standardDeviation = deviation
    minimum = values.reduce(first, min)
    maximum = values.reduce(first, max)
    activeShare = Double(values.count { $0 > 1e-5 }) / count
    outlierShare = Double(values.count { deviation > 0 && ($0 - mean) / deviation > 1 }) / count
    guard sum > 0 else {
      (entropy, normalizedEntropy) = (nil, nil)
      return
    }
    let bits = values.reduce(0) { total, value in
      value > 0 ? total - value / sum * log2(value / sum) : total
    }
    entropy = bits
    normalizedEntropy = values.count > 1 ? bits / log2(count) : nil
  }
}
