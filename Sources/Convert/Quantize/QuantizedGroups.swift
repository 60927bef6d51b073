import Formats
import Stats

/// Groups on their way from weights to bytes, with the quantizers of one thread.
final class QuantizedGroups {
  private(set) var groups = PackedGroups()
  private var quantizers: [WeightQuantizer: GroupQuantizer] = [:]

  /// Quantizes the first `groupCount` groups of a tile, as its weights are at hand.
  ///
  /// - Parameter importance: as for `GroupQuantizer`.
  /// - Returns: what decoding the stored values loses.
  func quantize(
    _ tile: WeightTile, groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun] = []
  ) -> QuantizationError {
    tile.withElements(0..<groupCount * quantizer.layout.groupSize) { bytes, type in
      quantize(bytes, as: type, groupCount: groupCount, quantizer, importance: importance)
    }
  }

  private func quantize(
    _ bytes: RawSpan, as type: ScaleType, groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun]
  ) -> QuantizationError {
    groups.reserve(groupCount, groupSize: quantizer.layout.groupSize)
    return withGroups { groups in
      quantizers[
        quantizer,
        default: GroupQuantizer(
          layout: quantizer.layout, method: quantizer.method, scaleType: quantizer.scaleType)
      ].quantize(
        bytes, as: type, groupCount: groupCount, importance: importance, codes: &groups.codes,
        scales: &groups.scales, biases: &groups.biases)
    }
  }

  /// What each of `groupCount` groups loses that lie one after the other, of elements of `type`.
  func errors(
    _ bytes: RawSpan, as type: ScaleType, groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun]
  ) -> [QuantizationError] {
    _ = quantize(bytes, as: type, groupCount: groupCount, quantizer, importance: importance)
    return quantizers[quantizer]?.latestErrors(groupCount) ?? []
  }

  /// Lends the groups, so that several of their arrays can be changed at once.
  func withGroups<Result>(_ body: (inout PackedGroups) throws -> Result) rethrows -> Result {
    var taken = PackedGroups()
    swap(&taken, &groups)
    defer { swap(&taken, &groups) }
    return try body(&taken)
  }
}
