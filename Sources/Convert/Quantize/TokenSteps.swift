import Formats

/// Codes around zero, as activations of one token have them: `step = absMax / (2^(b-1) - 1)`, nearest, ties to
/// even.
struct SymmetricSteps {
  private let step: Float
  private let limit: Float

  init(absMax: Float, bits: Int) {
    limit = Float((1 << (bits - 1)) - 1)
    step = absMax / limit
  }

  @inline(__always)
  func decoded(_ value: Float) -> Float {
    // A step that vanishes or is subnormal keeps nothing apart.
    guard step >= .leastNormalMagnitude else { return 0 }
    let code = (value / step).rounded(.toNearestOrEven)
    return max(-limit, min(limit, code)) * step
  }
}

/// Codes between minimum and maximum with a float offset (QA-LoRA, Eq. 1), scale and offset stored as F16: the
/// form in which runtimes keep a quantized cache.
struct AsymmetricSteps {
  private let parameters: GroupParameters
  private let limit: Float

  /// - Parameters: finite.
  init(minimum: Float, maximum: Float, bits: Int) {
    let largestCode = (1 << bits) - 1
    parameters = GroupParameters(minimum: minimum, maximum: maximum, largestCode: largestCode)
      .stored(as: .f16, largestCode: largestCode)
    limit = Float(largestCode)
  }

  @inline(__always)
  func decoded(_ value: Float) -> Float {
    guard parameters.scale != 0 else { return parameters.bias }
    let code = ((value - parameters.bias) / parameters.scale).rounded(.toNearestOrEven)
    return max(0, min(limit, code)) * parameters.scale + parameters.bias
  }
}
