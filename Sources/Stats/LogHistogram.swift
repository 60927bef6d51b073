/// Counts of magnitudes on a logarithmic scale, four bins to an octave.
///
/// The exponent and the two leading mantissa bits of the value as F32 are the index of its bin: no
/// logarithm is taken, so the bins are the same everywhere. Their edges are `2^e` times 1, 1.25,
/// 1.5 and 1.75. Zeros, NaN and infinities have no bin.
package struct LogHistogram: Sendable, Equatable {
  package static let binsPerOctave = 4
  /// Index of the first bin in `counts`.
  package private(set) var firstBin = 0
  /// From the first bin that holds anything to the last; empty where none does.
  package private(set) var counts: [Int] = []

  package init() {}

  /// - Parameter value: finite and not 0.
  package static func bin(of value: Float) -> Int {
    Int(value.magnitude.bitPattern >> 21)
  }

  /// Smallest magnitude in the bin of that index. The next bin's is the end of this one; that of the
  /// last bin of all is the largest finite number.
  package static func lowerEdge(ofBin bin: Int) -> Float {
    min(Float(bitPattern: UInt32(bin) << 21), .greatestFiniteMagnitude)
  }

  /// Bins that can be: of all finite values.
  package static let binCount = Int(Float.greatestFiniteMagnitude.bitPattern >> 21) + 1

  /// - Parameter all: counts by index of bin.
  package init(_ all: [Int]) {
    guard let first = all.firstIndex(where: { $0 > 0 }),
      let last = all.lastIndex(where: { $0 > 0 })
    else { return }
    firstBin = first
    counts = Array(all[first...last])
  }

  package mutating func merge(_ other: LogHistogram) {
    guard !other.counts.isEmpty else { return }
    guard !counts.isEmpty else {
      self = other
      return
    }
    let first = min(firstBin, other.firstBin)
    let end = max(firstBin + counts.count, other.firstBin + other.counts.count)
    var merged = [Int](repeating: 0, count: end - first)
    for (index, count) in counts.enumerated() { merged[firstBin - first + index] += count }
    for (index, count) in other.counts.enumerated() {
      merged[other.firstBin - first + index] += count
    }
    (firstBin, counts) = (first, merged)
  }

  /// Smallest magnitude of every bin, and at last the end of the last.
  package var edges: [Float] {
    counts.isEmpty ? [] : (firstBin...firstBin + counts.count).map(Self.lowerEdge)
  }
}
