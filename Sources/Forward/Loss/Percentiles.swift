/// Values in order.
package struct Percentiles: Sendable, Equatable {
  private let sorted: [Double]

  package init(_ values: [Double]) { sorted = values.sorted() }

  package var count: Int { sorted.count }

  /// At `share` of the way from the least to the largest, between neighbours in a line.
  package subscript(share share: Double) -> Double {
    guard let last = sorted.indices.last else { return 0 }
    let place = min(max(share, 0), 1) * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }

  /// How many are less than `limit`.
  package func count(below limit: Double) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = low + (high - low) / 2
      if sorted[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  package var least: Double { sorted.first ?? 0 }
  package var largest: Double { sorted.last ?? 0 }
  package var median: Double { self[share: 0.5] }
}
