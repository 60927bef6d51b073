/// Puts what decoding would give in the place of values: fake quantization of what is computed, not stored. As
/// `stats` measures the same round trips.
///
/// Values among which one is not finite are left alone: whoever reads them tells where that came from.
package enum FakeQuantizationKernels {
  /// Values that share a scale around zero, as those of a token do (Qllm-Eval, activations).
  ///
  /// - Parameters:
  ///   - range: those values.
  ///   - bits: at least 2.
  package static func symmetric(
    _ values: inout MutableSpan<Float>, _ range: Range<Int>, bits: Int
  ) {
    var absMax: Float = 0
    for index in range {
      guard values[index].isFinite else { return }
      absMax = max(absMax, values[index].magnitude)
    }
    let steps = SymmetricSteps(absMax: absMax, bits: bits)
    for index in range { values[index] = steps.decoded(values[index]) }
  }

  /// Values that share a scale and an offset, as a group of a cache does (Qllm-Eval, keys and values). The
  /// offset is a float, so that groups of one sign lose nothing by it.
  ///
  /// - Parameter range: those values, at least one.
  package static func asymmetric(
    _ values: inout MutableSpan<Float>, _ range: Range<Int>, bits: Int
  ) {
    var (low, high) = (Float.infinity, -Float.infinity)
    for index in range {
      guard values[index].isFinite else { return }
      low = min(low, values[index])
      high = max(high, values[index])
    }
    let steps = AsymmetricSteps(minimum: low, maximum: high, bits: bits)
    for index in range { values[index] = steps.decoded(values[index]) }
  }
}
