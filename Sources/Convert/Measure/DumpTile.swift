import Formats
import Stats

/// Whole tokens of a dump's tensor that are measured at once.
struct DumpTile {
  let part: Int
  /// Counted from the part's first token.
  let tokens: Range<Int>
  /// Index of the first token in the tensor.
  let firstToken: Int
  let valueCount: Int

  /// Tokens of one channel that share a scale (KIVI, arXiv 2402.02750, section 4.1: G = 32).
  static let channelGroup = 32

  /// Tiles of about a fixed size: whole groups of tokens, so that no group is cut but the last of
  /// a part.
  static func tiles(of tensor: TensorDump.Tensor) -> [DumpTile] {
    let fitting = max(1, Tiling.weightCount / tensor.width)
    let step =
      switch tensor.subject {
      case .input: fitting
      case .key, .value: max(channelGroup, fitting / channelGroup * channelGroup)
      }
    var first = 0
    return tensor.parts.indices.flatMap { part in
      defer { first += tensor.parts[part].tokenCount }
      return Tiling.ranges(tensor.parts[part].tokenCount, step: step).map { tokens in
        DumpTile(
          part: part, tokens: tokens, firstToken: first + tokens.lowerBound,
          valueCount: tokens.count * tensor.width)
      }
    }
  }

  /// Reads the tile's values into `slot.tile.weights`, and their bytes into `slot.tile.stored`.
  func read(of tensor: TensorDump.Tensor, in dump: TensorDump, into slot: MeasureSlot) throws {
    let part = tensor.parts[part]
    let bytesPerToken = tensor.width * tensor.dtype.bitCount / 8
    let tile = slot.tile
    let bytes = tokens.lowerBound * bytesPerToken..<tokens.upperBound * bytesPerToken
    tile.prepareStored([bytes])
    try dump.files[part.file].read(bytes, of: part.info, into: &tile.stored[0].bytes)
    tile.weights.grow(to: valueCount, filler: 0)
    let isDecoded = ElementDecoder.decode(
      tile.stored[0].bytes, count: valueCount, as: tensor.dtype, into: &tile.weights)
    precondition(isDecoded, "a dump has only types that decode")
  }
}

/// Measures one tile of a dump.
enum DumpWorker {
  static func measure(
    _ tile: DumpTile, of tensor: TensorDump.Tensor, range: DumpRange, in slot: MeasureSlot
  ) {
    slot.reset(ElementPatterns(tensor.dtype))
    slot.activations = ActivationChannels(channelCount: tensor.width)
    for index in 0..<tile.valueCount where !slot.tile.weights[index].isFinite {
      slot.activations.leaveOut(channel: index % tensor.width)
    }
    slot.countValues(tile.valueCount)
    slot.activations.add(slot.tile.weights, tokens: tile.tokens.count)
    slot.largest = LargestValues()
    slot.tokenMagnitudes.removeAll(keepingCapacity: true)
    let weights = slot.tile.weights
    for token in 0..<tile.tokens.count {
      slot.tokenMagnitudes.append(
        measureToken(
          weights.span, token * tensor.width, tensor.width,
          row: tile.firstToken + token, into: &slot.largest))
    }
    switch tensor.subject {
    case .input: slot.roundTrips = inputRoundTrips(tile, tensor, range, slot)
    case .key, .value:
      slot.roundTrips = cacheRoundTrips(tile, tensor, slot)
      slot.tokenSQNRs = []
    }
  }

  /// The token's largest magnitude; the tensor's largest values on the way.
  private static func measureToken(
    _ values: Span<Float>, _ start: Int, _ count: Int, row: Int, into largest: inout LargestValues
  ) -> Float {
    var absMax: Float = 0
    for column in 0..<count {
      let value = values[start + column]
      absMax = max(absMax, value.magnitude)
      // Only what may be massive is of interest.
      if value.magnitude > ActivationOutliers.massiveMagnitude {
        largest.add(value, row: row, column: column)
      }
    }
    return absMax
  }

  private static func inputRoundTrips(
    _ tile: DumpTile, _ tensor: TensorDump.Tensor, _ range: DumpRange, _ slot: MeasureSlot
  ) -> [RoundTrip] {
    let weights = slot.tile.weights
    let rest = range.rest(of: tensor.width)
    var roundTrips: [RoundTrip] = []
    slot.tokenSQNRs = []
    for bits in MeasureOptions.activationBits {
      for scheme in [QuantizationScheme.perToken, .perTensor] {
        var trip = RoundTrip(scheme: scheme, bits: bits, rest: QuantizationError())
        var tokenSQNRs: [Double] = []
        for (token, magnitude) in slot.tokenMagnitudes.enumerated() {
          let absMax = scheme == .perToken ? magnitude : range.absMax
          func error(_ channels: Range<Int>) -> QuantizationError {
            RoundTripKernels.symmetric(
              weights.span, token * tensor.width + channels.lowerBound, channels.count,
              absMax: absMax, bits: bits)
          }
          var own = QuantizationError()
          for channels in rest { own.merge(error(channels)) }
          trip.rest?.merge(own)
          trip.error.merge(own)
          for channel in range.outliers { trip.error.merge(error(channel..<channel + 1)) }
          if own.squaredNorm > 0, let sqnr = own.sqnrDecibels { tokenSQNRs.append(sqnr) }
        }
        roundTrips.append(trip)
        slot.tokenSQNRs.append(tokenSQNRs)
      }
    }
    return roundTrips
  }

  private static func cacheRoundTrips(
    _ tile: DumpTile, _ tensor: TensorDump.Tensor, _ slot: MeasureSlot
  ) -> [RoundTrip] {
    let weights = slot.tile.weights
    let values = weights.span
    let groupSize = tokenGroupSize(headDimension: tensor.tokenShape[1])
    var roundTrips: [RoundTrip] = []
    for bits in MeasureOptions.cacheBits {
      var perToken = RoundTrip(scheme: .perTokenGroup(size: groupSize), bits: bits)
      for start in stride(from: 0, to: tile.valueCount, by: groupSize) {
        perToken.error.merge(
          RoundTripKernels.asymmetric(values, start, groupSize, stride: 1, bits: bits))
      }
      var perChannel = RoundTrip(
        scheme: .perChannelGroup(tokens: DumpTile.channelGroup), bits: bits)
      for first in stride(from: 0, to: tile.tokens.count, by: DumpTile.channelGroup) {
        let count = min(DumpTile.channelGroup, tile.tokens.count - first)
        for channel in 0..<tensor.width {
          perChannel.error.merge(
            RoundTripKernels.asymmetric(
              values, first * tensor.width + channel, count, stride: tensor.width, bits: bits))
        }
      }
      roundTrips += [perToken, perChannel]
    }
    return roundTrips
  }

  /// Qllm-Eval's group of 128 channels within one head, or the whole head where that does not
  /// divide it.
  private static func tokenGroupSize(headDimension: Int) -> Int {
    headDimension % 128 == 0 ? 128 : headDimension
  }
}

/// What the tiles of one tensor of a dump add up to.
struct DumpAccumulator {
  private var values: ValueAccumulator
  private var channels: ActivationChannels
  private var tokenMagnitudes: [Float]
  private var largest: LargestValues
  private var roundTrips: [RoundTrip]
  /// For each of the round trips, of every token.
  private var tokenSQNRs: [[Double]]

  init(_ slot: MeasureSlot) {
    values = slot.values
    channels = slot.activations
    tokenMagnitudes = slot.tokenMagnitudes
    largest = slot.largest
    roundTrips = slot.roundTrips
    tokenSQNRs = slot.tokenSQNRs
  }

  mutating func merge(_ slot: MeasureSlot) {
    values.merge(slot.values)
    channels.merge(slot.activations)
    tokenMagnitudes += slot.tokenMagnitudes
    largest.merge(slot.largest)
    for index in roundTrips.indices {
      roundTrips[index].merge(slot.roundTrips[index])
    }
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
      headMagnitudes: identity.kind == .activation ? nil : headMagnitudes(tensor),
      rotation: identity.kind == .key ? rotation : nil,
      roundTrips: finishedTrips,
      outliers: identity.kind == .activation ? outliers(distribution) : nil,
      everyChannel: options.keepsChannels
        ? ChannelFigures(
          absMax: channels.absMax, meanMagnitude: channels.meanMagnitudes,
          meanSquare: channels.meanSquares) : nil)
  }

  private var finishedTrips: [RoundTrip] {
    var trips = roundTrips
    for (index, sqnrs) in tokenSQNRs.enumerated() where !sqnrs.isEmpty {
      trips[index].medianTokenSQNR = StatisticsSummary.median(sqnrs)
    }
    return trips
  }

  private func headMagnitudes(_ tensor: TensorDump.Tensor) -> [Float] {
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

extension ActivationOutliers {
  /// Sun et al., arXiv 2402.17762, section 2.2.
  static let massiveMagnitude: Float = 100

  static func massiveThreshold(median: Double) -> Double { 1000 * median }
}
