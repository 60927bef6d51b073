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
