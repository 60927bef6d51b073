import Formats
import Model
import Stats

/// What several tensors of one kind are like together: those of a layer, or of a role in a layer.
///
/// Vectors (norms, biases) take no part: a few values around 1 would hide what the matrices are
/// like.
package struct StatisticsSummary: Sendable {
  package let kind: TensorStatistics.Kind
  /// Nil for the tensors outside the layers.
  package let layer: Int?
  /// Nil for all roles together, and for the cache.
  package let role: TensorRole?
  package private(set) var tensorCount = 0
  package private(set) var valueCount = 0
  package private(set) var nonFiniteCount = 0
  package private(set) var zeroCount = 0
  package private(set) var absMax: Float = 0
  /// Of all values together.
  package private(set) var moments = Moments()
  private var kurtosisSum = 0.0
  private var kurtosisCount = 0
  package private(set) var histogram = LogHistogram()
  /// Merged over the tensors that have them.
  package private(set) var roundTrips: [RoundTrip] = []
  /// Largest over the tensors.
  package private(set) var channelRatio: Double?
  package private(set) var tokenRatio: Double?
  package private(set) var massiveCount = 0
  /// Channels with a magnitude of 6 and more, summed over the tensors.
  package private(set) var outlierFeatureCount = 0
  /// Whether kurtosis or AbsMax stands out among the layers.
  package fileprivate(set) var isOutlier = false
  /// Whether 4 bits lose much more of it than of other layers.
  package fileprivate(set) var isLossy = false

  /// A layer stands out where its kurtosis or its AbsMax exceeds this many times the median of the
  /// layers.
  package static let outlierRatio = 3.0
  /// A layer is lossy where its relative error at 4 bits, by the usual scheme of its kind, is more than this
  /// many times that of the median of the layers: 3 dB.
  package static let lossRatio = 2.0

  init(kind: TensorStatistics.Kind, layer: Int?, role: TensorRole?) {
    self.kind = kind
    self.layer = layer
    self.role = role
  }

  mutating func add(_ tensor: TensorStatistics) {
    tensorCount += 1
    valueCount += tensor.distribution.count
    nonFiniteCount += tensor.distribution.nanCount + tensor.distribution.infinityCount
    zeroCount += tensor.distribution.zeroCount
    absMax = max(absMax, tensor.distribution.absMax ?? 0)
    moments.merge(tensor.distribution.moments)
    if let kurtosis = tensor.distribution.moments.kurtosis {
      kurtosisSum += kurtosis
      kurtosisCount += 1
    }
    histogram.merge(tensor.distribution.histogram)
    channelRatio = Self.larger(channelRatio, tensor.channels?.ratio)
    tokenRatio = Self.larger(tokenRatio, tensor.tokens?.ratio)
    massiveCount += tensor.outliers?.massiveCount ?? 0
    outlierFeatureCount += tensor.outliers?.features.count ?? 0
    for trip in tensor.roundTrips {
      // Group sizes may differ from tensor to tensor: where one did not divide, a smaller one did.
      if let index = roundTrips.firstIndex(where: {
        $0.scheme.name == trip.scheme.name && $0.bits == trip.bits
      }) {
        roundTrips[index].merge(trip)
      } else {
        var trip = trip
        trip.medianTokenSQNR = nil
        roundTrips.append(trip)
      }
    }
  }

  /// Mean over the tensors (Pearson's). Not that of all values together: tensors of different
  /// spread, each normal, make a heavy-tailed mixture.
  package var kurtosis: Double? {
    kurtosisCount > 0 ? kurtosisSum / Double(kurtosisCount) : nil
  }

  private static func larger(_ a: Double?, _ b: Double?) -> Double? {
    guard let a, let b else { return a ?? b }
    return max(a, b)
  }

  /// As of a single tensor.
  package func sqnr(_ scheme: QuantizationScheme.Name, bits: Int) -> Double? {
    roundTrips.sqnr(scheme, bits: bits)
  }

  /// Of what is lost at 4 bits by the usual scheme, over the signal; nil where that was not measured.
  private var fourBitError: Double? {
    guard
      let error = roundTrips.first(where: { $0.scheme.name == kind.usualScheme && $0.bits == 4 })?
        .restError, error.squaredNorm > 0
    else { return nil }
    return error.squaredError / error.squaredNorm
  }

  /// Of several together, in dB; nil unless it is a finite number.
  package static func sqnr(
    of summaries: [StatisticsSummary], _ scheme: QuantizationScheme.Name, bits: Int
  ) -> Double? {
    var error = QuantizationError()
    for trip in summaries.flatMap(\.roundTrips)
    where trip.scheme.name == scheme && trip.bits == bits { error.merge(trip.restError) }
    guard error.squaredNorm > 0, let sqnr = error.sqnrDecibels, sqnr.isFinite else { return nil }
    return sqnr
  }
}

extension StatisticsSummary {
  /// One summary for each layer that has tensors of the kind, in order; first, where there are any,
  /// the tensors outside the layers.
  package static func layers(
    _ tensors: [TensorStatistics], kind: TensorStatistics.Kind
  ) -> [StatisticsSummary] {
    var summaries = group(tensors, kind: kind) { _ in nil }
    let inside = summaries.filter { $0.layer != nil }
    let kurtosis = median(inside.compactMap(\.kurtosis))
    let absMax = median(inside.map { Double($0.absMax) })
    let error = median(inside.compactMap(\.fourBitError))
    for index in summaries.indices where summaries[index].layer != nil {
      // Where the median layer loses nothing, that anything is lost says little.
      summaries[index].isLossy = error > 0 && summaries[index].fourBitError ?? 0 > lossRatio * error
      summaries[index].isOutlier =
        summaries[index].kurtosis ?? 0 > outlierRatio * kurtosis
        || Double(summaries[index].absMax) > outlierRatio * absMax
    }
    return summaries
  }

  /// One summary for each role in each layer.
  package static func roles(
    _ tensors: [TensorStatistics], kind: TensorStatistics.Kind
  ) -> [StatisticsSummary] {
    group(tensors, kind: kind, role: \.role)
  }

  private static func group(
    _ tensors: [TensorStatistics], kind: TensorStatistics.Kind,
    role: (TensorStatistics) -> TensorRole?
  ) -> [StatisticsSummary] {
    struct Key: Hashable {
      let layer: Int?
      let role: TensorRole?
    }
    var places: [Key: Int] = [:]
    var summaries: [StatisticsSummary] = []
    for tensor in tensors where tensor.kind == kind && tensor.shape.count > 1 {
      let key = Key(layer: tensor.layer, role: role(tensor))
      let place = places[key] ?? summaries.count
      if place == summaries.count {
        places[key] = place
        summaries.append(StatisticsSummary(kind: kind, layer: key.layer, role: key.role))
      }
      summaries[place].add(tensor)
    }
    return summaries.enumerated()
      .sorted { ($0.element.layer ?? -1, $0.offset) < ($1.element.layer ?? -1, $1.offset) }
      .map(\.element)
  }

  /// 0 of nothing.
  package static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
