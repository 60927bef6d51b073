import Stats

/// Quantizes and decodes runs of values only to measure what that loses. `start`, `count` and
/// `stride` pick the values that share a scale.
enum RoundTripKernels {
  /// Around zero, as activations are.
  static func symmetric(
    _ values: Span<Float>, _ start: Int, _ count: Int, absMax: Float, bits: Int
  ) -> QuantizationError {
    let steps = SymmetricSteps(absMax: absMax, bits: bits)
    return error(values, start, count, stride: 1) { steps.decoded($0) }
  }

  /// Between minimum and maximum, as a cache is.
  static func asymmetric(
    _ values: Span<Float>, _ start: Int, _ count: Int, stride: Int, bits: Int
  ) -> QuantizationError {
    var (low, high) = (values[start], values[start])
    for index in 0..<count {
      let value = values[start + index * stride]
      low = value < low ? value : low
      high = value > high ? value : high
    }
    let steps = AsymmetricSteps(minimum: low, maximum: high, bits: bits)
    return error(values, start, count, stride: stride) { steps.decoded($0) }
  }

  @inline(__always)
  private static func error(
    _ values: Span<Float>, _ start: Int, _ count: Int, stride: Int, decoded: (Float) -> Float
  ) -> QuantizationError {
    var error = QuantizationError()
    for index in 0..<count {
      let value = values[start + index * stride]
      let difference = Double(value) - Double(decoded(value))
      error.squaredNorm += Double(value) * Double(value)
      error.squaredError += difference * difference
      error.largestError = max(error.largestError, difference.magnitude)
    }
    return error
  }
}
