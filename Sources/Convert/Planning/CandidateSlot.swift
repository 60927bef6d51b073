import Formats
import Stats

/// The buffers of one block.
final class CandidateSlot {
  let tile = WeightTile()
  /// What each layout loses.
  var errors: [QuantizationError] = []
  private let quantized = QuantizedGroups()
  private var decoded: [Float] = []

  /// Quantizes the first `count` weights of the tile, and decodes them again where their errors have
  /// different weights.
  ///
  /// - Parameter importance: what errors count; groups in none of the runs have inputs that count alike.
  /// - Returns: sums in which every square counts as much as its input.
  func quantize(
    _ quantizer: WeightQuantizer, count: Int, importance: [ImportanceRun]
  ) -> QuantizationError {
    let size = quantizer.layout.groupSize
    let groups = count / size
    let error = quantized.quantize(
      tile, groupCount: groups, quantizer, importance: importance)
    guard !importance.isEmpty else { return error }
    decoded.grow(to: count, filler: 0)
    quantizer.layout.dequantize(
      codes: quantized.groups.codes, scales: quantized.groups.scales,
      biases: quantized.groups.biases, groupCount: groups, in: quantizer.scaleType, into: &decoded)
    var weighted = QuantizationError(largestError: error.largestError)
    var cursor = ImportanceCursor(importance, groupSize: size)
    for group in 0..<groups {
      let counts = cursor.importance(ofGroup: group)
      for offset in 0..<size {
        let index = group * size + offset
        let count = counts.map { Double($0.values[$0.start + offset]) } ?? 1
        let weight = Double(tile.weights[index])
        let difference = weight - Double(decoded[index])
        weighted.squaredNorm += count * weight * weight
        weighted.squaredError += count * difference * difference
      }
    }
    return weighted
  }
}
