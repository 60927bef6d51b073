/// The search for the F16 scales and minima of eight blocks.
struct BlockSearch {
  let grid: BlockGrid
  let isAffine: Bool

  @inline(never)
  func run(
    _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, _ range: SubBlockRange
  ) -> SubBlockScales {
    let found = SubBlockSearch(isAffine: isAffine, isStored: true).best(
      grid, side, counts, isWeighted: isWeighted, from: 0, range)
    var best = SubBlockScales(scale: Lanes.zero, minimum: Lanes.zero)
    var error = grid.error(side, counts, isWeighted: isWeighted, from: 0, best, range)
    // What formats take that do not search.
    if isAffine {
      keep(
        SubBlockScales(
          scale: (range.high - range.low) / grid.largestCode, minimum: -range.low))
    } else {
      let isLow = -range.low .>= range.high
      let extreme = range.high.replacing(with: range.low, where: isLow)
      keep(SubBlockScales(scale: extreme / -grid.zero, minimum: Lanes.zero))
    }
    keep(found.scales)
    for _ in 0..<3 {
      let sums = grid.sums(side, counts, isWeighted: isWeighted, from: 0, best, range)
      let fit = sums.fit(best, total: range.total, isAffine: isAffine, isBounded: false).scales
      // The best minimum for the scale as it is stored.
      let rounded = fit.scale.nearestHalves
      let slope = isAffine ? sums.codes / range.total : Lanes.zero
      keep(
        SubBlockScales(scale: rounded, minimum: fit.minimum + (rounded - fit.scale) * slope))
    }
    return best

    func keep(_ wished: SubBlockScales) {
      attempt(wished)
      guard isAffine else { return }
      // The same line from its other end: where that is nearer to zero, rounding costs less.
      attempt(
        SubBlockScales(
          scale: -wished.scale, minimum: wished.minimum - wished.scale * grid.largestCode))
    }

    @inline(__always)
    func attempt(_ wished: SubBlockScales) {
      let stored = SubBlockScales(
        scale: wished.scale.nearestHalves, minimum: wished.minimum.nearestHalves)
      let squared = grid.error(side, counts, isWeighted: isWeighted, from: 0, stored, range)
      let isBetter = squared .< error
      best.replace(with: stored, where: isBetter)
      error.replace(with: squared, where: isBetter)
    }
  }
}
