/// A set of Unicode scalars as ranges, for putting sets together; `ScalarSet` is for looking up.
struct ScalarRanges: Equatable, Sendable {
  /// In rising order, with something between any two.
  private(set) var ranges: [ClosedRange<UInt32>] = []

  /// The largest scalar.
  static let last: UInt32 = 0x10FFFF

  init() {}

  /// Ranges in any order, which may overlap.
  init(_ unordered: [ClosedRange<UInt32>]) {
    for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard let end = ranges.last?.upperBound, range.lowerBound <= end + 1 else {
        ranges.append(range)
        continue
      }
      ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound...max(end, range.upperBound)
    }
  }

  init(scalar: UInt32) { ranges = [scalar...scalar] }

  func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }

  func union(_ other: ScalarRanges) -> ScalarRanges { ScalarRanges(ranges + other.ranges) }

  var inverted: ScalarRanges {
    var result = ScalarRanges()
    var start: UInt32 = 0
    for range in ranges {
      if start < range.lowerBound { result.ranges.append(start...range.lowerBound - 1) }
      start = range.upperBound + 1
    }
    if start <= Self.last { result.ranges.append(start...Self.last) }
    return result
  }

  func intersection(_ other: ScalarRanges) -> ScalarRanges {
    inverted.union(other.inverted).inverted
  }
}
