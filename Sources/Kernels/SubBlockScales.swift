/// Scales and minima of eight sub-blocks; weights are `(code - zero) * scale - minimum`.
struct SubBlockScales {
  var scale: Lanes
  var minimum: Lanes

  @inline(__always)
  mutating func replace(with other: SubBlockScales, where mask: LaneMask) {
    scale.replace(with: other.scale, where: mask)
    minimum.replace(with: other.minimum, where: mask)
  }

  /// What positions are multiplied with: the inverse of the scale, but none that takes a weight further than
  /// 2^13 steps, and 0 where there is no scale.
  @inline(__always)
  func inverse(_ range: SubBlockRange) -> Lanes {
    let (low, high) = ((range.low + minimum).magnitudes, (range.high + minimum).magnitudes)
    let limit = 0x1p13 / low.replacing(with: high, where: high .> low)
    var inverse = 1 / scale
    let capped = limit.replacing(with: -limit, where: scale .< 0)
    inverse.replace(with: capped, where: .!(inverse.magnitudes .<= limit))
    inverse.replace(with: Lanes.zero, where: scale .== 0)
    return inverse
  }
}
