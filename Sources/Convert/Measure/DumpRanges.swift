import Formats
import Stats

/// Collects the ranges of a dump's tensors, which come one after the other.
struct DumpRanges {
  private let outlierRatio: Double
  private var ranges: [DumpRange]
  /// Of the channels of tensor `current`.
  private var magnitudes: [Float] = []
  private var current = 0

  init(_ dump: TensorDump, outlierRatio: Double) {
    self.outlierRatio = outlierRatio
    ranges = dump.tensors.map { _ in DumpRange() }
  }

  mutating func add(_ slot: MeasureSlot, of tensor: Int) {
    if tensor != current { finishCurrent() }
    current = tensor
    ranges[tensor].absMax = max(ranges[tensor].absMax, slot.largestMagnitude)
    if magnitudes.isEmpty {
      magnitudes = slot.channelMagnitudes
    } else {
      for (channel, magnitude) in slot.channelMagnitudes.enumerated() {
        magnitudes[channel] = max(magnitudes[channel], magnitude)
      }
    }
  }

  private mutating func finishCurrent() {
    guard !magnitudes.isEmpty else { return }
    ranges[current].outliers = MagnitudeProfile.outliers(magnitudes, outlierRatio: outlierRatio)
    magnitudes = []
  }

  var finished: [DumpRange] {
    var all = self
    all.finishCurrent()
    return all.ranges
  }
}

extension DumpTile {
  /// Finds the largest magnitudes of the tile and, of a layer's inputs, of its channels. What is no
  /// finite number has none.
  func measureRange(of tensor: TensorDump.Tensor, in slot: MeasureSlot) {
    slot.largestMagnitude = slot.tile.weights[..<valueCount].reduce(0) {
      $1.isFinite ? max($0, $1.magnitude) : $0
    }
    slot.channelMagnitudes.removeAll(keepingCapacity: true)
    guard case .input = tensor.subject else { return }
    let width = tensor.width
    slot.channelMagnitudes.append(contentsOf: repeatElement(0, count: width))
    for token in 0..<tokens.count {
      for channel in 0..<width {
        let value = slot.tile.weights[token * width + channel]
        if value.isFinite, value.magnitude > slot.channelMagnitudes[channel] {
          slot.channelMagnitudes[channel] = value.magnitude
        }
      }
    }
  }
}
