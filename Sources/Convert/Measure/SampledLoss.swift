import Stats

/// What quantizing weights in one way loses.
struct SampledLoss {
  let scheme: QuantizationScheme
  let bits: Int
  /// Of the weights that stand for themselves alone.
  var known = QuantizationError()
  /// Of each group that stands for others: the squared range that it stands for, and what so much loses
  /// where it loses as the group does.
  var drawn: [QuantizationError] = []

  /// - Parameters:
  ///   - error: what a drawn group loses.
  ///   - square: its squared range.
  ///   - share: the squared range that it stands for.
  mutating func add(drawn error: QuantizationError, square: Double, share: Double) {
    drawn.append(
      QuantizationError(
        squaredNorm: share, squaredError: error.squaredError / square * share,
        largestError: error.largestError))
  }

  /// Adds what the next weights lose.
  mutating func merge(_ other: SampledLoss) {
    known.merge(other.known)
    drawn += other.drawn
  }

  /// - Parameter moments: of all weights, where some were drawn: the energy of all is then known.
  func roundTrip(ofAll moments: Moments?) -> RoundTrip {
    var trip = RoundTrip(scheme: scheme, bits: bits)
    trip.error = known
    guard let moments else { return trip }
    for group in drawn { trip.error.merge(group) }
    trip.error.squaredNorm = moments.count * moments.mean * moments.mean + moments.second
    let sample = SampledRatio(drawn)
    let uncertain = trip.error.squaredError - known.squaredError
    trip.samplingError =
      uncertain > 0 ? sample.relativeDeviation * uncertain / trip.error.squaredError : 0
    return trip
  }
}
