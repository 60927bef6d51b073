/// Counts of values by their distance from the mean in standard deviations, four bins to one.
package struct SigmaHistogram: Sendable, Equatable {
  package static let binsPerSigma = 4
  /// Standard deviations on either side that have bins.
  package static let limit = 10
  /// Values below the first bin, and from the end of the last on.
  package private(set) var below = 0
  package private(set) var above = 0
  /// From `-limit` to `limit`; a bin holds its lower edge.
  package private(set) var counts = [Int](repeating: 0, count: 2 * limit * binsPerSigma)

  init(_ values: [(value: Float, count: Int)], mean: Double, sigma: Double) {
    for entry in values {
      let distance = (Double(entry.value) - mean) / sigma
      let limit = Double(Self.limit)
      if distance < -limit {
        below += entry.count
      } else if distance >= limit {
        above += entry.count
      } else {
        let bin = Int(((distance + limit) * Double(Self.binsPerSigma)).rounded(.down))
        counts[min(bin, counts.count - 1)] += entry.count
      }
    }
  }
}
