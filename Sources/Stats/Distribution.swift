/// What the values of a tensor are like, wherever they stand. NaN and infinities are counted, and
/// take no part in anything else.
package struct Distribution: Sendable, Equatable {
  package let count: Int
  package let nanCount: Int
  package let positiveInfinityCount: Int
  package let negativeInfinityCount: Int
  package let zeroCount: Int
  /// Not zero, and smaller than the smallest normal number of the element type.
  package let subnormalCount: Int
  /// Of the finite values; nil where there is none.
  package let minimum: Float?
  package let maximum: Float?
  package let moments: Moments
  /// In the order of `quantileLevels`, interpolated between the two nearest ranks.
  package let quantiles: [Double]
  /// Median of the magnitudes.
  package let medianMagnitude: Double?
  /// Shares of the values that lie further than 3 and 6 standard deviations from the mean. Nil, as
  /// the histogram, where all values are equal, and where they are so close together that the bins
  /// of F32 values around the mean are wider than those of the histogram.
  package let beyondThreeSigma: Double?
  package let beyondSixSigma: Double?
  package let histogram: LogHistogram
  package let sigmaHistogram: SigmaHistogram?
  /// Largest relative error of quantiles and median; 0 for 16-bit types. The shares beyond a number
  /// of standard deviations and the histogram see values that are off by as much.
  package let relativeError: Double

  package static let quantileLevels = [0.001, 0.01, 0.5, 0.99, 0.999, 0.9999]

  package var finiteCount: Int { count - nanCount - infinityCount }
  package var infinityCount: Int { positiveInfinityCount + negativeInfinityCount }
  package var isFinite: Bool { finiteCount == count }

  /// Largest magnitude.
  package var absMax: Float? {
    guard let minimum, let maximum else { return nil }
    return max(minimum.magnitude, maximum.magnitude)
  }

  /// AbsMax over the root mean square; nil where all is zero.
  package var crestFactor: Double? {
    guard let absMax, let power = moments.rootMeanSquare, power > 0 else { return nil }
    return Double(absMax) / power
  }

  package init(_ values: ValueAccumulator) {
    let patterns = values.patterns
    relativeError = patterns.relativeError
    var entries: [(value: Float, count: Int)] = []
    values.forEachValue { entries.append(($0, Int($1))) }
    let finite = entries.reduce(0) { $0 + $1.count }
    (nanCount, positiveInfinityCount, negativeInfinityCount) = values.countNonFinite()
    count = finite + nanCount + positiveInfinityCount + negativeInfinityCount

    if patterns.isExact {
      minimum = entries.first?.value
      maximum = entries.last?.value
      zeroCount = entries.reduce(0) { $0 + ($1.value == 0 ? $1.count : 0) }
      subnormalCount = entries.reduce(0) {
        $0 + ($1.value != 0 && $1.value.magnitude < patterns.smallestNormal ? $1.count : 0)
      }
      moments = Moments { add in
        for entry in entries { add(Double(entry.value), Double(entry.count)) }
      }
    } else {
      minimum = finite > 0 ? values.minimum : nil
      maximum = finite > 0 ? values.maximum : nil
      zeroCount = values.zeroCount
      subnormalCount = values.subnormalCount
      moments = values.moments
    }

    if let minimum, let maximum {
      let ranks = RankedValues(entries.map { (Double($0.value), $0.count) })
      quantiles = Self.quantileLevels.map {
        // The middle of the outermost bins may lie beyond all values in them.
        min(max(ranks.quantile($0), Double(minimum)), Double(maximum))
      }
      var magnitudes: [(Double, Int)] = []
      values.forEachMagnitude { magnitudes.append((Double($0), Int($1))) }
      medianMagnitude = min(
        RankedValues(magnitudes).quantile(0.5),
        Double(max(minimum.magnitude, maximum.magnitude)))
    } else {
      (quantiles, medianMagnitude) = ([], nil)
    }

    let (mean, sigma) = (moments.mean, moments.standardDeviation ?? 0)
    // Width of the bins around the mean.
    let width = 2 * patterns.relativeError * mean.magnitude
    let tellsSigmas = sigma > 0 && width * Double(SigmaHistogram.binsPerSigma) <= sigma
    sigmaHistogram = tellsSigmas ? SigmaHistogram(entries, mean: mean, sigma: sigma) : nil
    func share(beyond multiple: Double) -> Double? {
      guard tellsSigmas else { return nil }
      let far = entries.reduce(0) {
        $0 + ((Double($1.value) - mean).magnitude > multiple * sigma ? $1.count : 0)
      }
      return Double(far) / Double(finite)
    }
    beyondThreeSigma = share(beyond: 3)
    beyondSixSigma = share(beyond: 6)

    var bins = [Int](repeating: 0, count: LogHistogram.binCount)
    for entry in entries where entry.value != 0 {
      bins[LogHistogram.bin(of: entry.value)] += entry.count
    }
    // Of binned values the smallest subnormals are counted with the zeros.
    bins[0] += entries.reduce(-zeroCount) { $0 + ($1.value == 0 ? $1.count : 0) }
    histogram = LogHistogram(bins)
  }
}

/// Values with counts, in ascending order, asked by rank.
private struct RankedValues {
  private let values: [Double]
  /// Number of values up to and including each.
  private let ends: [Int]

  init(_ ascending: [(value: Double, count: Int)]) {
    values = ascending.map(\.value)
    var total = 0
    ends = ascending.map {
      total += $0.count
      return total
    }
  }

  /// The quantile at `level`, 0 to 1: linear between the two ranks around `level * (n - 1)`, as
  /// NumPy's default does, to the last bit.
  func quantile(_ level: Double) -> Double {
    let total = ends.last ?? 0
    let position = level * Double(total - 1)
    let rank = Int(position.rounded(.down))
    let (low, high) = (value(rank), value(min(rank + 1, total - 1)))
    let fraction = position - position.rounded(.down)
    return fraction >= 0.5
      ? high - (high - low) * (1 - fraction) : low + (high - low) * fraction
  }

  private func value(_ rank: Int) -> Double {
    var (low, high) = (0, ends.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] > rank { high = middle } else { low = middle + 1 }
    }
    return values[low]
  }
}
