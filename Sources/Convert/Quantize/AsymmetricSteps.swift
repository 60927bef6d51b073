import Formats

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
