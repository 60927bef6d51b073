import Formats
import Stats

/// What the tiles of one tensor of a dump add up to.
struct DumpAccumulator {
  /// Complete once those that tables counted are added.
  var values: ValueAccumulator
  private var channels: ActivationChannels
  private var tokenMagnitudes: [Float]
  private var largest: LargestValues
  private var roundTrips: [RoundTrip]
  /// For each of the round trips, of every token.
  private var tokenSQNRs: [[Double]]
  private var map: MagnitudeMap?

  init(_ slot: MeasureSlot, of tensor: TensorDump.Tensor) {
    values = slot.values
    channels = slot.activations
    tokenMagnitudes = slot.tokenMagnitudes
    largest = slot.largest
    roundTrips = slot.roundTrips
    tokenSQNRs = slot.tokenSQNRs
    guard let part = slot.map else { return }
    var whole = MagnitudeMap(
      tokens: 0..<tensor.tokenCount, of: tensor.tokenCount, channelCount: tensor.width)
    whole.merge(part)
    map = whole
  }

  mutating func merge(_ slot: MeasureSlot) {
    slot.addValues(to: &values)
    channels.merge(slot.activations)
    tokenMagnitudes += slot.tokenMagnitudes
    largest.merge(slot.largest)
    for index in roundTrips.indices {
      roundTrips[index].merge(slot.roundTrips[index])
    }
    if let part = slot.map { map?.merge(part) }
    for index in tokenSQNRs.indices { tokenSQNRs[index] += slot.tokenSQNRs[index] }
  }

  func statistics(
    _ tensor: TensorDump.Tensor, _ identity: DumpIdentity, rotation: TensorDump.Rotation?,
    options: MeasureOptions
  ) -> TensorStatistics {
    let distribution = Distribution(values)
    return TensorStatistics(
      name: tensor.name, kind: identity.kind, role: identity.role, layer: identity.layer,
      expert: identity.expert, dtype: tensor.dtype, shape: tensor.shape,
      distribution: distribution,
      channels: MagnitudeProfile(channels.absMax, outlierRatio: options.outlierRatio),
      outputChannels: nil,
      tokens: MagnitudeProfile(tokenMagnitudes, outlierRatio: options.outlierRatio),
      headMagnitudes: headMagnitudes(tensor),
      rotation: identity.kind == .key || identity.kind == .rotaryKey ? rotation : nil,
      roundTrips: finishedTrips,
      outliers: identity.kind == .activation ? outliers(distribution) : nil,
      everyChannel: options.keepsChannels
        ? ChannelFigures(
          absMax: channels.absMax, meanMagnitude: channels.meanMagnitudes,
          meanSquare: channels.meanSquares) : nil,
      meanSquareSum: identity.kind == .activation ? channels.meanSquares.reduce(0, +) : nil,
      map: map)
  }

  private var finishedTrips: [RoundTrip] {
    var trips = roundTrips
    for (index, sqnrs) in tokenSQNRs.enumerated() where !sqnrs.isEmpty {
      trips[index].medianTokenSQNR = StatisticsSummary.median(sqnrs)
    }
    return trips
  }

  /// Nil where there are no heads.
  private func headMagnitudes(_ tensor: TensorDump.Tensor) -> [Float]? {
    guard tensor.tokenShape.count == 2 else { return nil }
    let size = tensor.tokenShape[1]
    return stride(from: 0, to: tensor.width, by: size).map { start in
      channels.absMax[start..<start + size].max()!
    }
  }

  private func outliers(_ distribution: Distribution) -> ActivationOutliers {
    let threshold = ActivationOutliers.massiveThreshold(median: distribution.medianMagnitude ?? 0)
    func isMassive(_ value: Float) -> Bool {
      value.magnitude > ActivationOutliers.massiveMagnitude && Double(value.magnitude) >= threshold
    }
    let massive = largest.entries.filter { isMassive($0.value) }
    var massiveCount = massive.count
    // The values themselves say how many there are, unless more were found than are kept; the bins
    // of F32 values may then err about those at the threshold.
    if massiveCount == LargestValues.limit {
      var counted = 0
      values.forEachValue { value, count in
        if isMassive(value) { counted += Int(count) }
      }
      massiveCount = max(massiveCount, counted)
    }
    return ActivationOutliers(
      features: channels.outlierTokens.enumerated().filter { $0.element > 0 }.map {
        .init(channel: $0.offset, tokenCount: $0.element)
      },
      tokenCount: channels.tokenCount, massiveCount: massiveCount,
      massive: massive)
  }
}
