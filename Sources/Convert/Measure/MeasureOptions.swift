import Formats
import Model

/// What a person may choose about measuring.
package struct MeasureOptions: Sendable {
  /// Consecutive weights that share a scale in the round trips.
  package var groupSize = 64
  /// How scales are chosen in the round trips.
  package var method = QuantizationMethod.minmax
  /// A channel is an outlier where its AbsMax exceeds this many times the median channel's.
  package var outlierRatio = 6.0
  /// Names of tensors and modules to measure; nil for all.
  package var filter: NamePattern?
  /// How messages call what gave the filter.
  package var filterOption = "--filter"
  /// Whether to go on without what is wrong in a dump.
  package var keepsGoing = false
  /// Whether to keep every channel's figures, not only a profile.
  package var keepsChannels = false
  /// Whether to keep maps of magnitudes by channel and token, of some inputs and of the cache of some layers.
  package var keepsMaps = false
  /// Roles of weights to measure; nil for all.
  package var roles: Set<TensorRole>?
  /// Whether weights go through round trips, which takes most of the time.
  package var measuresLoss = true

  /// Weights of a tensor that go through round trips, or few more; nil for all. Everything else is measured
  /// of all.
  package var sampleSize: Int? = 1 << 17

  /// The share of a tensor's weights that goes through round trips; nil for all.
  func sampleFraction(of count: Int) -> Double? {
    guard let sampleSize, count > sampleSize else { return nil }
    return Double(sampleSize) / Double(count)
  }

  package init() {}

  /// Widths at which weights and the cache go through a round trip.
  package static let weightBits = [2, 3, 4, 5, 6, 8]
  package static let cacheBits = [2, 3, 4, 8]
  package static let activationBits = [4, 8]
}
