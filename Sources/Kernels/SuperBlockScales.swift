/// Scales of a super-block: two factors, and what each sub-block multiplies them with.
struct SuperBlockScales {
  /// Numbers of F16.
  var scale: Float
  var minimum: Float
  /// For each batch of eight sub-blocks: whole numbers.
  var scaleCodes: InlineArray<2, Lanes> = .init(repeating: Lanes.zero)
  var minimumCodes: InlineArray<2, Lanes> = .init(repeating: Lanes.zero)
  /// Of each sub-block.
  var errors: InlineArray<2, Lanes> = .init(repeating: Lanes.zero)

  var error: Float { (errors[0] + errors[1]).laneSum }

  /// The same of weights of the other sign.
  var negated: SuperBlockScales {
    var result = self
    (result.scale, result.minimum) = (-scale, -minimum)
    return result
  }

  @inline(__always)
  func scales(_ batch: Int) -> SubBlockScales {
    // Exact: 11 bits times 8.
    SubBlockScales(scale: scaleCodes[batch] * scale, minimum: minimumCodes[batch] * minimum)
  }
}
