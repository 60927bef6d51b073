/// Largest magnitudes along one axis of a tensor, channel by channel or token by token, in brief.
package struct MagnitudeProfile: Sendable, Equatable {
  /// A position on the axis that stands out.
  package struct Outlier: Sendable, Equatable {
    package let index: Int
    package let absMax: Float
    /// Over the median; infinite where that is 0.
    package let ratio: Double
  }

  package let count: Int
  package let median: Double
  package let largest: Float
  /// How many positions exceed `outlierRatio` times the median.
  package let outlierCount: Int
  /// The largest of them, by falling magnitude; at most `outlierLimit`.
  package let outliers: [Outlier]
  /// The axis in at most `stepLimit` runs of equal length (the last may be shorter): the largest
  /// magnitude in each.
  package let steps: [Float]

  package static let outlierLimit = 16
  package static let stepLimit = 64

  /// Largest magnitude over the median; nil where the median is 0.
  package var ratio: Double? { median > 0 ? Double(largest) / median : nil }

  /// Positions in a run of `steps`, but for the last.
  package var stepLength: Int { Self.stepLength(count) }

  private static func stepLength(_ count: Int) -> Int {
    max(1, (count + stepLimit - 1) / stepLimit)
  }

  private static func median(_ sorted: [Float]) -> Double {
    let middle = sorted.count / 2
    return sorted.count % 2 == 1
      ? Double(sorted[middle]) : (Double(sorted[middle - 1]) + Double(sorted[middle])) / 2
  }

  /// Positions, in order, whose magnitude exceeds `outlierRatio` times the median; none where the
  /// median is 0, for then nothing is told apart.
  package static func outliers(_ magnitudes: [Float], outlierRatio: Double) -> [Int] {
    let median = magnitudes.isEmpty ? 0 : median(magnitudes.sorted())
    guard median > 0 else { return [] }
    return magnitudes.indices.filter { Double(magnitudes[$0]) > outlierRatio * median }
  }

  /// - Parameters:
  ///   - magnitudes: largest magnitude at each position.
  ///   - outlierRatio: multiple of the median beyond which a position counts as outlier.
  /// - Returns: nil for an axis without positions.
  package init?(_ magnitudes: [Float], outlierRatio: Double) {
    guard !magnitudes.isEmpty else { return nil }
    count = magnitudes.count
    let sorted = magnitudes.sorted()
    let median = Self.median(sorted)
    self.median = median
    largest = sorted[sorted.count - 1]
    let far = magnitudes.indices.filter { Double(magnitudes[$0]) > outlierRatio * median }
    outlierCount = far.count
    outliers =
      far.sorted { (magnitudes[$1], $0) < (magnitudes[$0], $1) }.prefix(Self.outlierLimit).map {
        Outlier(
          index: $0, absMax: magnitudes[$0],
          ratio: median > 0 ? Double(magnitudes[$0]) / median : .infinity)
      }
    steps = stride(from: 0, to: magnitudes.count, by: Self.stepLength(count)).map { start in
      magnitudes[start..<min(start + Self.stepLength(magnitudes.count), magnitudes.count)].max()!
    }
  }
}
