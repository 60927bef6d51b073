import Formats
import Stats

/// Groups on their way from weights to bytes, with the quantizers of one thread.
final class QuantizedGroups {
  /// From the start; what lies behind the groups means nothing.
  var codes: [UInt8] = []
  var scales: [Float] = []
  var biases: [Float] = []
  private var quantizers: [WeightQuantizer: GroupQuantizer] = [:]

  /// Quantizes the first `groupCount` groups of `weights`.
  ///
  /// - Parameter importance: as for `GroupQuantizer`.
  /// - Returns: what decoding the stored values loses.
  func quantize(
    _ weights: [Float], groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun] = []
  ) -> QuantizationError {
    codes.grow(to: groupCount * quantizer.layout.groupSize, filler: 0)
    scales.grow(to: groupCount, filler: 0)
    biases.grow(to: groupCount, filler: 0)
    return quantizers[
      quantizer,
      default: GroupQuantizer(
        layout: quantizer.layout, method: quantizer.method, scaleType: quantizer.scaleType)
    ].quantize(
      weights, groupCount: groupCount, importance: importance, codes: &codes, scales: &scales,
      biases: &biases)
  }
}
