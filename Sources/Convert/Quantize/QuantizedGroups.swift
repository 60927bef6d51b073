import Formats
import Stats

/// Groups on their way from weights to bytes, with the quantizers of one thread.
final class QuantizedGroups {
  private(set) var groups = PackedGroups()
  private var quantizers: [WeightQuantizer: GroupQuantizer] = [:]

  /// Quantizes the first `groupCount` groups of a tile, as its weights are at hand.
  ///
  /// - Parameters:
  ///   - first: the weight of the tile that they begin with.
  ///   - importance: as for `GroupQuantizer`.
  /// - Returns: what decoding the stored values loses.
  func quantize(
    _ tile: WeightTile, from first: Int = 0, groupCount: Int, _ quantizer: WeightQuantizer,
    importance: [ImportanceRun] = []
  ) -> QuantizationError {
    groups.reserve(groupCount, groupSize: quantizer.layout.groupSize)
    let weights = first..<first + groupCount * quantizer.layout.groupSize
    return withGroups { groups in
      tile.withElements(weights) { bytes, type in
        quantizers[
          quantizer,
          default: GroupQuantizer(
            layout: quantizer.layout, method: quantizer.method, scaleType: quantizer.scaleType)
        ].quantize(
          bytes, as: type, groupCount: groupCount, importance: importance, codes: &groups.codes,
          scales: &groups.scales, biases: &groups.biases)
      }
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
