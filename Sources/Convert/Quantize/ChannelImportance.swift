import Formats

/// How much the squared error of a weight counts, by the input channel that the weight meets.
///
/// What a layer loses is the error of its outputs, `sum over j of E[x_j²] (w_j - d_j)²` as far as
/// inputs are uncorrelated. A few channels of large models have inputs tens of times larger than the
/// others (LLM.int8(), arXiv 2208.07339), and weights that are as much smaller. Plain squared error
/// gives those weights away for larger ones beside them in their group.
package enum ChannelImportance {
  /// Columns within this factor of the median energy count alike. Ordinary columns stay there, so
  /// that models without outlier channels are quantized for the plain squared error.
  private static let ordinaryRatio = 4.0
  /// Columns of (nearly) nothing say little of their inputs.
  private static let largest = 4096.0
  /// Of the mean: what a channel counts at least that was silent while it was measured.
  private static let smallestShare: Float = 1e-3

  /// From what the weights themselves say of their inputs: an input channel counts the more, the less
  /// energy its column of weights has: `max(1, median / (4 · energy))`, at most 4096.
  ///
  /// - Parameter columnEnergies: mean square of the weights of each input channel.
  /// - Returns: nil where all channels count alike.
  package static func inferred(columnEnergies: [Double]) -> [Float]? {
    guard let median = Self.median(columnEnergies), median > 0 else { return nil }
    let importance = columnEnergies.map { energy in
      Float(min(largest, max(1, median / (ordinaryRatio * energy))))
    }
    return importance.contains { $0 > 1 } ? importance : nil
  }

  /// From mean squares of the inputs, E[x²], as a dump or an importance matrix has them.
  ///
  /// - Returns: mean 1; nil where all are 0 or one is no finite number.
  package static func measured(meanSquares: [Float]) -> [Float]? {
    let mean = meanSquares.reduce(0) { $0 + Double($1) } / Double(max(1, meanSquares.count))
    guard mean > 0, mean.isFinite else { return nil }
    return meanSquares.map { max(smallestShare, Float(Double($0) / mean)) }
  }

  private static func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    return sorted.isEmpty ? nil : sorted[sorted.count / 2]
  }
}
