import Stats

/// What quantizing weights in one way loses, block by block.
struct SampledLoss {
  let scheme: QuantizationScheme
  let bits: Int
  var blocks: [QuantizationError] = []

  /// - Parameter moments: of all weights, where the blocks are a sample of them: the energy of all is then
  ///   known, and what share of it is lost is that of the sample.
  func roundTrip(ofAll moments: Moments?) -> RoundTrip {
    var trip = RoundTrip(scheme: scheme, bits: bits)
    for block in blocks { trip.error.merge(block) }
    guard let moments else { return trip }
    let sample = SampledRatio(blocks)
    let norm = moments.count * moments.mean * moments.mean + moments.second
    trip.error.squaredNorm = norm
    trip.error.squaredError = sample.ratio * norm
    trip.samplingError = sample.relativeDeviation
    return trip
  }
}
