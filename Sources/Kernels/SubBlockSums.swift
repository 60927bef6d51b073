/// Sums over the weights of eight sub-blocks, each weight times what its error counts. `c` is `code - zero` of
/// the nearest code, `e` the error.
struct SubBlockSums {
  /// Of e².
  var error = Lanes.zero
  /// Of c, and of c².
  var codes = Lanes.zero
  var squares = Lanes.zero
  /// Of e, and of e * c.
  var rests = Lanes.zero
  var products = Lanes.zero

  /// The least-squares scale and minimum for these codes, and the error with them.
  ///
  /// - Parameters:
  ///   - scales: those that the sums were made with.
  ///   - total: what all weights count.
  ///   - isAffine: whether there is a minimum.
  ///   - isBounded: whether minima are not negative.
  @inline(__always)
  func fit(_ scales: SubBlockScales, total: Lanes, isAffine: Bool, isBounded: Bool) -> (
    scales: SubBlockScales, error: Lanes
  ) {
    guard isAffine else {
      let hasSteps = squares .> 0
      let step = (products / squares).replacing(with: Lanes.zero, where: .!hasSteps)
      return (
        SubBlockScales(scale: scales.scale + step, minimum: Lanes.zero), error - step * products
      )
    }
    let determinant = total * squares - codes * codes
    // What rounding leaves of codes that are all equal is no slope.
    let hasSlope = determinant .> 0x1p-18 * (total * squares)
    let steeper = ((total * products - rests * codes) / determinant).replacing(
      with: Lanes.zero, where: .!hasSlope)
    let higher = (rests - steeper * codes) / total
    var (scale, minimum) = (scales.scale + steeper, scales.minimum - higher)
    var rest = error - steeper * products - higher * rests
    if isBounded {
      // The best line through zero, where the best of all lies above it.
      let isBelow = minimum .< 0
      let hasSteps = squares .> 0
      let raised = scales.minimum
      let step = ((products - raised * codes) / squares).replacing(
        with: Lanes.zero, where: .!hasSteps)
      let lifted = error + raised * (raised * total - 2 * rests)
      let through = lifted - step * step * squares
      scale.replace(with: scales.scale + step, where: isBelow)
      minimum.replace(with: Lanes.zero, where: isBelow)
      rest.replace(with: through, where: isBelow)
    }
    return (SubBlockScales(scale: scale, minimum: minimum), rest)
  }

  /// Best scales as F16 holds them, and the error with them; the minimum is the best one for the scale as it is
  /// rounded.
  func stored(_ scales: SubBlockScales, _ error: Lanes, total: Lanes, isAffine: Bool) -> (
    scales: SubBlockScales, error: Lanes
  ) {
    let scale = scales.scale.nearestHalves
    let step = scale - scales.scale
    let minimum =
      isAffine ? (scales.minimum + step * (codes / total)).nearestHalves : Lanes.zero
    let rise = minimum - scales.minimum
    return (
      SubBlockScales(scale: scale, minimum: minimum),
      error + step * (step * squares - 2 * rise * codes) + rise * rise * total
    )
  }
}
