import Formats
import Stats

/// The buffers of one tile that is measured, and what was found in it.
final class MeasureSlot {
  let tile = WeightTile()
  let quantized = QuantizedGroups()
  /// The values of the whole blocks in what was read, of each stored tensor.
  var readBlocks: [[UInt64]] = []
  var values: ValueAccumulator
  var channels = ChannelMagnitudes()
  var activations = ActivationChannels(channelCount: 0)
  var tokenMagnitudes: [Float] = []
  var largest = LargestValues()
  var largestMagnitude: Float = 0
  /// Of the first look at a dump's inputs.
  var channelMagnitudes: [Float] = []
  var roundTrips: [RoundTrip] = []
  /// Of weights, what each width loses, and how many were measured.
  var losses: [SampledLoss] = []
  var measuredCount = 0
  /// For each of the round trips, SQNR of the tile's tokens; of inputs only.
  var tokenSQNRs: [[Double]] = []
  /// Accumulators that are not in use, by the name of their patterns.
  private var idle: [ElementPatterns: ValueAccumulator] = [:]
  private var patterns = ElementPatterns.floats

  init() { values = ValueAccumulator(ElementPatterns.floats.values) }

  /// Empties what was found, and gets ready for other patterns.
  func reset(_ wanted: ElementPatterns) {
    if wanted != patterns {
      let next = idle.removeValue(forKey: wanted) ?? ValueAccumulator(wanted.values)
      idle[patterns] = values
      (values, patterns) = (next, wanted)
    }
    values.reset()
    losses = []
    measuredCount = 0
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

  /// Counts the first `count` values of the tile, then makes those that are no finite number 0, so
  /// that nothing else meets them.
  func countValues(_ count: Int) {
    if patterns == .floats {
      values.add(floats: tile.weights, count: count)
    } else {
      values.add(patterns: tile.stored[0].bytes, count: count)
    }
    guard tile.elements == .f32, !tile.areWeightsFinite(count) else { return }
    for index in 0..<count where !tile.weights[index].isFinite { tile.weights[index] = 0 }
  }
}
