import Formats

/// Noise as E4M3 codes, before the scales of their blocks.
struct Float8Codes {
  /// The value that a standard deviation of the noise has as a code: 8 of them reach the largest code,
  /// as the largest weight of a block does in published checkpoints.
  static let unit: Float = 56
  private static let largest: Float = 448

  /// The codes of the noise's table.
  let table: [UInt8]
  /// By code, that of a tenth of its value.
  let tenths: [UInt8]

  init(_ noise: WeightNoise) {
    let values = SmallFloat.table(.f8E4M3)!
    table = noise.values.map { Self.nearest($0 * Self.unit, values) }
    tenths = values.map { $0.isNaN ? 0 : Self.nearest($0 / 10, values) }
  }

  /// The code whose value is nearest; the largest one of what is beyond.
  private static func nearest(_ value: Float, _ values: [Float]) -> UInt8 {
    let magnitude = min(value.magnitude, largest)
    // The codes of positive numbers have the order of their values.
    var (low, high) = (0, 0x7E)
    while low < high {
      let middle = (low + high) / 2
      if values[middle] < magnitude { low = middle + 1 } else { high = middle }
    }
    let below = max(0, low - 1)
    let code = magnitude - values[below] < values[low] - magnitude ? below : low
    return UInt8(code) | (value < 0 ? 0x80 : 0)
  }
}
