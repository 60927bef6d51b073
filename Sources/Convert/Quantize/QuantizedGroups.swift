import Formats
import Stats

/// Groups on their way from weights to bytes, with the quantizers of one thread.
final class QuantizedGroups {
  private(set) var groups = PackedGroups()
  private var quantizers: [WeightQuantizer: GroupQuantizer] = [:]

  /// Quantizes the first `groupCount` groups of `weights`.
  ///
  /// - Parameter importance: as for `GroupQuantizer`.
  /// - Returns: what decoding the stored values loses.
  func quantize(
    _ weights: [Float], groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun] = []
  ) -> QuantizationError {
    groups.reserve(groupCount, groupSize: quantizer.layout.groupSize)
    return withGroups { groups in
      quantizers[
        quantizer,
        default: GroupQuantizer(
          layout: quantizer.layout, method: quantizer.method, scaleType: quantizer.scaleType)
      ].quantize(
        weights, groupCount: groupCount, importance: importance, codes: &groups.codes,
        scales: &groups.scales, biases: &groups.biases)
    }
  }

  /// Lends the groups, so that several of their arrays can be changed at once.
  func withGroups<Result>(_ body: (inout PackedGroups) throws -> Result) rethrows -> Result {
    var taken = PackedGroups()
    swap(&taken, &groups)
    defer { swap(&taken, &groups) }
    return try body(&taken)
  }
}
