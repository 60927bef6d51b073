/// The search for scale and minimum of eight sub-blocks, each for itself: from many ranges, weights take their
/// nearest codes, and least-squares fits follow.
struct SubBlockSearch {
  let grid: BlockGrid
  let isAffine: Bool
  /// Whether they are numbers of F16; otherwise they are numbers that are not rounded, and minima are not
  /// negative.
  let isStored: Bool

  /// What is best.
  struct Found {
    var scales: SubBlockScales
    var error: Lanes
  }

  @inline(never)
  func best(
    _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, from start: Int,
    _ range: SubBlockRange
  ) -> Found {
    let none = SubBlockScales(scale: Lanes.zero, minimum: Lanes.zero)
    var found = Found(
      scales: none,
      error: grid.error(side, counts, isWeighted: isWeighted, from: start, none, range))
    if isAffine {
      // Where minima are not negative, ranges begin at zero or below.
      let isAbove = range.low .> 0
      let low = isStored ? range.low : range.low.replacing(with: Lanes.zero, where: isAbove)
      for reach in affineReaches {
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
      for reach in reaches {
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
      found.scales.replace(with: fitted, where: isBetter)
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

  /// Codes that the whole range is tried to take.
  private var affineReaches: StrideThrough<Float> {
    let codes = grid.largestCode
    return codes <= 3
      ? stride(from: codes - 1, through: codes + 2, by: 0.5)
      : stride(from: codes - 2, through: codes + 3, by: 0.5)
  }

  /// Codes from zero on that the largest weight is tried at.
  private var reaches: StrideThrough<Float> {
    switch grid.zero {
    case ...4: stride(from: 2, through: 5.5, by: 0.25)
    case ...8: stride(from: 6, through: 10, by: 0.25)
    case ...16: stride(from: 14, through: 19, by: 0.25)
    case ...32: stride(from: 30, through: 35, by: 0.5)
    default: stride(from: 125, through: 129, by: 0.25)
    }
  }
}
