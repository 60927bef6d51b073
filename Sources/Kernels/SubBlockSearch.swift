/// The search for scale and minimum of eight sub-blocks, each for itself: from many ranges, weights take their
/// nearest codes, and least-squares fits follow.
struct SubBlockSearch {
  let isAffine: Bool
  /// Whether they are numbers of F16; otherwise they are numbers that are not rounded, and minima are not
  /// negative.
  let isStored: Bool

  /// What is best.
  struct Found {
    var scale = Lanes.zero
    var minimum = Lanes.zero
    var error: Lanes

    @inline(__always)
    var scales: SubBlockScales { SubBlockScales(scale: scale, minimum: minimum) }
  }

  @inline(never)
  func best(
    _ grid: BlockGrid, _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool,
    from start: Int,
    _ range: SubBlockRange
  ) -> Found {
    let none = SubBlockScales(scale: Lanes.zero, minimum: Lanes.zero)
    var found = Found(
      error: grid.error(side, counts, isWeighted: isWeighted, from: start, none, range))
    if isAffine {
      // Where minima are not negative, ranges begin at zero or below.
      let isAbove = range.low .> 0
      let low = isStored ? range.low : range.low.replacing(with: Lanes.zero, where: isAbove)
      for index in 0..<(grid.largestCode <= 3 ? 7 : 11) {
        // Codes that the whole range is tried to take.
        let reach = grid.largestCode + 0.5 * Float(index) - (grid.largestCode <= 3 ? 1 : 2)
        let scale = (range.high - low) / reach
        for share in 0..<3 {
          // Clipped above, at both ends, below; or that much wider.
          let clipped = (reach - grid.largestCode) * (0.5 * Float(share))
          descend(SubBlockScales(scale: scale, minimum: -(low + scale * clipped)))
        }
      }
    } else {
      // The largest weight at either end of the codes, whose signs differ.
      let isLow = -range.low .> range.high
      let extreme = range.high.replacing(with: range.low, where: isLow)
      let (first, step, count) = reaches(grid.zero)
      for index in 0..<count {
        let reach = first + step * Float(index)
        descend(SubBlockScales(scale: extreme / reach, minimum: Lanes.zero))
        descend(SubBlockScales(scale: extreme / -reach, minimum: Lanes.zero))
      }
    }
    var scales = found.scales
    for _ in 0..<3 { scales = descend(scales) }
    return found

    /// - Returns: scales twice as far away as the fit, for steps are small.
    @inline(__always)
    @discardableResult
    func descend(_ scales: SubBlockScales) -> SubBlockScales {
      let sums = grid.sums(side, counts, isWeighted: isWeighted, from: start, scales, range)
      let fit = sums.fit(
        scales, total: range.total, isAffine: isAffine, isBounded: !isStored)
      var (fitted, error) = (fit.scales, fit.error)
      if isStored {
        (fitted, error) = sums.stored(fitted, error, total: range.total, isAffine: isAffine)
      }
      let isBetter = error .< found.error
      found.scale.replace(with: fitted.scale, where: isBetter)
      found.minimum.replace(with: fitted.minimum, where: isBetter)
      found.error.replace(with: error, where: isBetter)
      var next = fit.scales
      guard isAffine else { return next }
      let further = 2 * next.scale - scales.scale
      next.replace(
        with: SubBlockScales(scale: further, minimum: 2 * next.minimum - scales.minimum),
        where: further.magnitudes .> 0.25 * next.scale.magnitudes)
      return next
    }
  }

  /// Codes from zero on that the largest weight is tried at.
  private func reaches(_ zero: Float) -> (first: Float, step: Float, count: Int) {
    switch zero {
    case ...4: (2, 0.25, 15)
    case ...8: (6, 0.25, 17)
    case ...16: (14, 0.25, 21)
    case ...32: (30, 0.5, 11)
    default: (125, 0.25, 17)
    }
  }
}
