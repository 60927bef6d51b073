/// The search for scale and offset in eight groups side by side: what belongs to weight i of group l is
/// number l of lanes i.
///
/// From several clipped ranges two steps alternate that can each only lower the error: every weight takes
/// its nearest code, then scale and offset are the least-squares line through the weights of the codes
/// (algorithms: k-quants of llama.cpp; Lloyd's iteration for a uniform quantizer). These steps are small,
/// so the next codes are those of a line twice as far away (over-relaxation), and the best line of all is
/// kept. With many codes the line is fitted to what the one before leaves, not to the weights: these sums
/// are small, and the error that follows from them does not drown in their rounding.
///
/// Everything is done with `u = (w - min) / (max - min) * steps`, so that no magnitude of weight can
/// overflow or vanish in the sums.
struct LineSearch {
  /// A line `u = code * scale + offset` in each group.
  struct Lines {
    var scale: Lanes
    var offset: Lanes
    /// Mean of the codes that it was fitted to.
    var meanCode: Lanes
    /// Squared error with these codes.
    var error: Lanes

    @inline(__always)
    mutating func keep(_ other: Lines) {
      let isBetter = other.error .< error
      scale.replace(with: other.scale, where: isBetter)
      offset.replace(with: other.offset, where: isBetter)
      meanCode.replace(with: other.meanCode, where: isBetter)
      error.replace(with: other.error, where: isBetter)
    }

    @inline(__always)
    mutating func replaceNoLines(where mask: LaneMask, _ scale: Lanes, _ offset: Lanes) {
      self.scale.replace(with: scale, where: mask)
      self.offset.replace(with: offset, where: mask)
      error.replace(with: .infinity, where: mask)
    }
  }

  /// Weights of a group.
  let count: Int
  /// The largest code.
  let steps: Float
  /// What all squared errors of a group count.
  let total: Lanes
  /// Mean of `u`.
  let mean: Lanes
  /// Sum of the squares of `u - mean`.
  let spread: Lanes

  /// - Parameters:
  ///   - values: `u - mean` of the groups.
  ///   - importance: what squared errors count; read where `isWeighted`.
  ///   - widest: share of the range that the strongest clipping takes from one end.
  @inline(__always)
  func best(
    _ values: Span<Float>, _ importance: Span<Float>, isWeighted: Bool, widest: Float
  ) -> Lines {
    var best = Lines(
      scale: .one, offset: -mean, meanCode: .zero, error: Lanes(repeating: .infinity))
    // From the extremes, so that what is found is no worse than they are but for rounding; then from
    // ranges clipped at both ends.
    var (scale, offset) = (Lanes.one, -mean)
    step(&scale, &offset)
    descend(from: 0.1, 0.4)
    descend(from: 0.4, 0.1)
    // With four codes the ways from other ranges end at other lines.
    if steps <= 3 { descend(from: 0.5, 0.5) }
    (scale, offset) = (best.scale, best.offset)
    for _ in 0..<(steps <= 3 ? 3 : 2) { step(&scale, &offset) }
    return best

    @inline(__always)
    func descend(from low: Float, _ high: Float) {
      var scale = Lanes(repeating: 1 - widest * (low + high))
      var offset = widest * low * steps - mean
      for _ in 0..<(steps <= 3 ? 3 : 2) { step(&scale, &offset) }
    }

    @inline(__always)
    func step(_ scale: inout Lanes, _ offset: inout Lanes) {
      // With many codes the error is a small difference of large sums.
      let fitted =
        steps > 31
        ? fitToRests(values, importance, isWeighted: isWeighted, scale, offset)
        : fit(values, importance, isWeighted: isWeighted, scale, offset)
      best.keep(fitted)
      let further = 2 * fitted.scale - scale
      let isLine = further .> 0.25 * fitted.scale
      offset = (2 * fitted.offset - offset).replacing(with: fitted.offset, where: .!isLine)
      scale = further.replacing(with: fitted.scale, where: .!isLine)
    }
  }

  /// The least-squares lines for the codes that lines give; of error infinity where all codes are equal.
  @inline(__always)
  private func fit(
    _ values: Span<Float>, _ importance: Span<Float>, isWeighted: Bool, _ scale: Lanes,
    _ offset: Lanes
  ) -> Lines {
    let inverse = 1 / scale
    let limit = CodeLimit(steps)
    var (codes, squares, products) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for index in 0..<count {
      let value = values.eight(8 &* index)
      let code = ((value - offset) * inverse).roundedCodes(limit: limit) - Lanes.rounding
      let counted = isWeighted ? importance.eight(8 &* index) * code : code
      codes += counted
      squares += counted * code
      products += counted * value
    }
    let meanCode = codes / total
    let determinant = squares - codes * meanCode
    let steepness = products / determinant
    // Values have the mean 0.
    var lines = Lines(
      scale: steepness, offset: -steepness * meanCode, meanCode: meanCode,
      error: spread - steepness * products)
    lines.replaceNoLines(where: .!((determinant .> 0) .& (steepness .> 0)), scale, offset)
    return lines
  }

  /// The same, fitted to what the lines leave.
  @inline(__always)
  private func fitToRests(
    _ values: Span<Float>, _ importance: Span<Float>, isWeighted: Bool, _ scale: Lanes,
    _ offset: Lanes
  ) -> Lines {
    let inverse = 1 / scale
    let limit = CodeLimit(steps)
    var (codes, squares) = (Lanes.zero, Lanes.zero)
    var (rests, products, errors) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for index in 0..<count {
      let value = values.eight(8 &* index)
      let code = ((value - offset) * inverse).roundedCodes(limit: limit) - Lanes.rounding
      let rest = value - (code * scale + offset)
      let counts = isWeighted ? importance.eight(8 &* index) : .one
      let countedCode = isWeighted ? counts * code : code
      let countedRest = isWeighted ? counts * rest : rest
      codes += countedCode
      squares += countedCode * code
      rests += countedRest
      products += countedRest * code
      errors += countedRest * rest
    }
    let determinant = total * squares - codes * codes
    let steeper = (total * products - rests * codes) / determinant
    let mean = codes / total
    let higher = rests / total - steeper * mean
    var lines = Lines(
      scale: scale + steeper, offset: offset + higher, meanCode: mean,
      error: errors - steeper * products - higher * rests)
    lines.replaceNoLines(where: .!((determinant .> 0) .& (lines.scale .> 0)), scale, offset)
    return lines
  }
}
