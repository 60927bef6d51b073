import Formats

/// Scale and bias of one group, in weight units: `w = code * scale + bias`.
struct GroupParameters: Equatable {
  var scale: Float
  var bias: Float

  var isFinite: Bool { scale.isFinite && bias.isFinite }

  /// The parameters as `type` stores them, moved where needed so that every code decodes to a
  /// finite value.
  ///
  /// A group may span more than the largest finite value of its type (-65504 to 65504 in F16). MLX
  /// rounds `code * scale` to the type, so that product must stay in range too: such a group gets
  /// the widest scale that fits, around its middle.
  func stored(as type: ScaleType, largestCode: Int) -> GroupParameters {
    let limit = type.largestFinite
    let steps = Float(largestCode)
    var fitted = self
    if steps * abs(scale) > limit || !(abs(bias) <= limit) {
      let middle = Double(bias) + Double(scale) * Double(largestCode) / 2
      fitted.scale = Float(
        sign: scale.sign, exponent: 0, significand: min(abs(scale), limit / steps))
      fitted.bias = Float(middle - Double(fitted.scale) * Double(largestCode) / 2)
      fitted.bias = max(-limit, min(limit, fitted.bias))
    }
    var result = GroupParameters(scale: type.round(fitted.scale), bias: type.round(fitted.bias))
    // Rounding up can still carry the last code past the largest value: one or two units suffice.
    while !type.round(type.round(steps * result.scale) + result.bias).isFinite {
      result.scale = type.round(result.scale * (1 - 0x1p-8))
    }
    return result
  }
}

extension GroupParameters {
  /// The uniform quantizer of QA-LoRA (arXiv 2309.14717, Eq. 1): alpha = (max - min) / (2^b - 1),
  /// beta = min.
  init(minimum: Float, maximum: Float, largestCode: Int) {
    // In `Double` only where the range exceeds `Float`; elsewhere the formula as published.
    let range = maximum - minimum
    scale =
      range.isFinite
      ? range / Float(largestCode)
      : Float((Double(maximum) - Double(minimum)) / Double(largestCode))
    bias = minimum
  }

  /// MLX's own choice (ml-explore/mlx, `mlx/backend/cpu/quantized.cpp`): the end of the range with
  /// the larger magnitude is the bias, and the scale is adjusted so that zero is a code. The scale
  /// is negative where the maximum is that end.
  init(mlxMinimum minimum: Float, maximum: Float, largestCode: Int) {
    let lowIsLarger = abs(minimum) > abs(maximum)
    let magnitude = max((maximum - minimum) / Float(largestCode), 1e-7)
    scale = lowIsLarger ? magnitude : -magnitude
    let edge = lowIsLarger ? minimum : maximum
    let zeroCode = (edge / scale).rounded(.toNearestOrEven)
    if zeroCode != 0 {
      scale = edge / zeroCode
      bias = edge
    } else {
      bias = 0
    }
  }
}
