import Formats
import Stats

/// Quantizes and decodes runs of values only to measure what that loses. `start`, `count` and
/// `stride` pick the values that share a scale.
enum RoundTripKernels {
  /// Around zero, as activations are: `step = absMax / (2^(b-1) - 1)`, nearest, ties to even.
  static func symmetric(
    _ values: Span<Float>, _ start: Int, _ count: Int, absMax: Float, bits: Int
  ) -> QuantizationError {
    let limit = Float((1 << (bits - 1)) - 1)
    let step = absMax / limit
    return error(values, start, count, stride: 1) { value in
      // A step that vanishes or is subnormal keeps nothing apart.
      guard step >= .leastNormalMagnitude else { return 0 }
      let code = (value / step).rounded(.toNearestOrEven)
      return max(-limit, min(limit, code)) * step
    }
  }

  /// Between minimum and maximum with a float offset (QA-LoRA, Eq. 1), scale and offset stored as
  /// F16: the form in which runtimes keep a quantized cache.
  static func asymmetric(
    _ values: Span<Float>, _ start: Int, _ count: Int, stride: Int, bits: Int
  ) -> QuantizationError {
    var (low, high) = (values[start], values[start])
    for index in 0..<count {
      let value = values[start + index * stride]
      low = value < low ? value : low
      high = value > high ? value : high
    }
    let largestCode = (1 << bits) - 1
    let parameters = GroupParameters(minimum: low, maximum: high, largestCode: largestCode)
      .stored(as: .f16, largestCode: largestCode)
    let limit = Float(largestCode)
    return error(values, start, count, stride: stride) { value in
      guard parameters.scale != 0 else { return parameters.bias }
      let code = ((value - parameters.bias) / parameters.scale).rounded(.toNearestOrEven)
      return max(0, min(limit, code)) * parameters.scale + parameters.bias
    }
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
