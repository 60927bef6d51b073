/// Scale and bias of eight groups.
struct Choice {
  var scale: Lanes
  var bias: Lanes

  @inline(__always)
  init(scale: Lanes, bias: Lanes) {
    (self.scale, self.bias) = (scale, bias)
  }

  /// MLX's own (ml-explore/mlx, `mlx/backend/cpu/quantized.cpp`): the end of the range with the larger
  /// magnitude is the bias, and the scale is adjusted so that zero is a code.
  @inline(__always)
  init(mlxLow low: Lanes, high: Lanes, steps: Float) {
    let lowIsLarger = low.magnitudes .> high.magnitudes
    var size = (high - low) / steps
    size.replace(with: 1e-7, where: .!(size .> 1e-7))
    let first = (-size).replacing(with: size, where: lowIsLarger)
    let edge = high.replacing(with: low, where: lowIsLarger)
    // The nearest integer, ties to even, of what is far below 2^22.
    let zeroCode = (edge / first + 0x1.8p23) - 0x1.8p23
    let hasZero = zeroCode .!= 0
    scale = first.replacing(with: edge / zeroCode, where: hasZero)
    bias = Lanes.zero.replacing(with: edge, where: hasZero)
  }

  @inline(__always)
  func replacing(with other: Choice, where mask: LaneMask) -> Choice {
    var result = self
    result.replace(with: other, where: mask)
    return result
  }

  @inline(__always)
  mutating func replace(with other: Choice, where mask: LaneMask) {
    scale.replace(with: other.scale, where: mask)
    bias.replace(with: other.bias, where: mask)
  }

  @inline(__always)
  func rounded<P: ParameterType>(_: P.Type) -> Choice {
    Choice(scale: P.roundParameters(scale), bias: P.roundParameters(bias))
  }
}
