import Formats
import Stats

/// Measures one tile of a dump.
enum DumpWorker {
  /// - Parameters:
  ///   - number: of the tensor.
  ///   - tables: count its values.
  static func measure(
    _ tile: DumpTile, of tensor: TensorDump.Tensor, _ number: Int, range: DumpRange,
    counting tables: PatternTables, keepsMap: Bool, in slot: MeasureSlot
  ) {
    slot.reset(ElementPatterns(tensor.dtype))
    slot.activations = ActivationChannels(channelCount: tensor.width)
    for index in 0..<tile.valueCount where !slot.tile.weights[index].isFinite {
      slot.activations.leaveOut(channel: index % tensor.width)
    }
    slot.countValues(tile.valueCount, of: number, in: tables)
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
    slot.map = nil
    if keepsMap {
      let tokens = tile.firstToken..<tile.firstToken + tile.tokens.count
      var map = MagnitudeMap(tokens: tokens, of: tensor.tokenCount, channelCount: tensor.width)
      map.add(weights.span, tokens: tokens)
      slot.map = map
    }
    switch tensor.subject {
    case .input: slot.roundTrips = inputRoundTrips(tile, tensor, range, slot)
    case .key, .value, .latent, .rotaryKey:
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
    let groupSize = tokenGroupSize(headDimension: tensor.tokenShape.last ?? 1)
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
