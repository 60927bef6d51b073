import Formats
import Stats

/// Groups on their way from weights to bytes, with the quantizers of one thread.
final class QuantizedGroups {
  private(set) var groups = PackedGroups()
  private var quantizers: [WeightQuantizer: GroupQuantizer] = [:]
  private var improvers: [WeightQuantizer: GPTQQuantizer] = [:]
  private var decoded: [Float] = []
  private var figures: [Double] = []

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

  /// Quantizes whole rows of one matrix for the second moments of their inputs.
  ///
  /// - Parameter tile: read as numbers, from the start.
  /// - Returns: what decoding the stored values loses.
  func quantize(
    _ tile: WeightTile, rows: Int, _ quantizer: WeightQuantizer, factors: GPTQFactors
  ) -> QuantizationError {
    let (layout, type) = (quantizer.layout, quantizer.scaleType)
    let groupCount = rows * (factors.order.count / layout.groupSize)
    let importance = factors.importance.map {
      [ImportanceRun(groups: 0..<groupCount, values: $0, firstInput: 0)]
    }
    _ = quantize(tile, groupCount: groupCount, quantizer, importance: importance ?? [])
    decoded.grow(to: groupCount * layout.groupSize, filler: 0)
    decode(groupCount, layout, type)
    withGroups { groups in
      improvers[quantizer, default: GPTQQuantizer(quantizer)].improve(
        &groups, of: tile.weights, decoded: decoded, rows: rows, factors)
    }
    decode(groupCount, layout, type)
    let weights = tile.weights
    // Numbers have no padding between them.
    return unsafe QuantizationKernels.error(
      of: decoded, beside: weights.span.bytes, .f32, groupCount: groupCount,
      groupSize: layout.groupSize, figures: &figures)
  }

  private func decode(_ groupCount: Int, _ layout: AffineLayout, _ type: ScaleType) {
    layout.dequantize(
      codes: groups.codes, scales: groups.scales, biases: groups.biases, groupCount: groupCount,
      in: type, into: &decoded)
  }

  /// Lends the groups, so that several of their arrays can be changed at once.
  func withGroups<Result>(_ body: (inout PackedGroups) throws -> Result) rethrows -> Result {
    var taken = PackedGroups()
    swap(&taken, &groups)
    defer { swap(&taken, &groups) }
    return try body(&taken)
  }
}
