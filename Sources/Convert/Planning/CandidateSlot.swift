import Formats
import Stats

/// The buffers of one block.
final class CandidateSlot {
  let tile = WeightTile()
  /// What each layout loses.
  var errors: [QuantizationError] = []
  private let quantized = QuantizedGroups()
  private var decoded: [Float] = []
  private var figures: [Double] = []

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
    return tile.withElements(0..<count) { bytes, type in
      QuantizationKernels.error(
        of: decoded, beside: bytes, type, groupCount: groups, groupSize: size,
        importance: importance, figures: &figures)
    }
  }
}
