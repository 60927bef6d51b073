import Formats
import Stats

/// The buffers of one tile that is measured, and what was found in it.
final class MeasureSlot {
  let tile = WeightTile()
  var lossMeasurement = LossMeasurement()
  /// The values of the whole blocks in what was read, of each stored tensor.
  var readBlocks: [[UInt64]] = []
  /// Of values that are binned.
  private var bins = ValueAccumulator(ElementPatterns.floats.values)
  var channels = ChannelMagnitudes()
  var activations = ActivationChannels(channelCount: 0)
  var tokenMagnitudes: [Float] = []
  var largest = LargestValues()
  var largestMagnitude: Float = 0
  /// Where one is wanted.
  var map: MagnitudeMap?
  /// Of the first look at a dump's inputs.
  var channelMagnitudes: [Float] = []
  var roundTrips: [RoundTrip] = []
  /// Of weights, what each width loses.
  var losses: [SampledLoss] = []
  /// For each of the round trips, SQNR of the tile's tokens; of inputs only.
  var tokenSQNRs: [[Double]] = []
  private var patterns = ElementPatterns.floats

  /// Empties what was found, and gets ready for values that are counted as `patterns`.
  func reset(_ patterns: ElementPatterns) {
    self.patterns = patterns
    if patterns == .floats { bins.reset() }
    losses = []
  }

  /// What was found of values alone, but for what tables have.
  var values: ValueAccumulator {
    var values = ValueAccumulator(patterns.values)
    addValues(to: &values)
    return values
  }

  func addValues(to values: inout ValueAccumulator) {
    if patterns == .floats { values.merge(bins) }
  }

  /// Sees the tile's weights, which are weights `range` of the tensor, as rows and columns.
  func countChannels(_ range: Range<Int>) {
    guard tile.elements != .f32 else {
      return channels.add(tile.weights, count: range.count, start: range.lowerBound)
    }
    let numbers = patterns.values.values
    channels.add(
      patterns: tile.stored[0].bytes, count: range.count, start: range.lowerBound,
      value: { numbers[Int($0)] })
  }

  /// Counts the first `count` values of the tile, in `tables` where they are patterns, then makes those
  /// that are no finite number 0, so that nothing else meets them.
  func countValues(_ count: Int, of tensor: Int, in tables: PatternTables) {
    if patterns == .floats {
      bins.add(floats: tile.weights, count: count)
    } else {
      tables.count(tile.stored[0].bytes, count: count, of: tensor, patterns)
    }
    guard tile.elements == .f32, !tile.areWeightsFinite(count) else { return }
    for index in 0..<count where !tile.weights[index].isFinite { tile.weights[index] = 0 }
  }
}
