/// The search for the scales of a super-block of 256 weights.
struct SuperBlockSearch {
  let grid: BlockGrid
  let isAffine: Bool
  let leastScaleCode: Float
  let largestScaleCode: Float
  let batches: Int

  typealias Pair = InlineArray<2, Lanes>

  /// Of each batch.
  struct Ranges {
    var first = SubBlockRange()
    var second = SubBlockRange()

    @inline(__always)
    subscript(batch: Int) -> SubBlockRange { batch == 0 ? first : second }

    /// Of the same weights with the other sign.
    var negated: Ranges { Ranges(first: first.negated, second: second.negated) }
  }

  /// What sub-blocks want, each for itself, and how much it costs them not to get it.
  struct Wishes {
    var scales: Pair = .init(repeating: Lanes.zero)
    var minima: Pair = .init(repeating: Lanes.zero)
    var total: Pair = .init(repeating: Lanes.zero)
    /// How far the best minimum moves with the scale: the mean code.
    var slopes: Pair = .init(repeating: Lanes.zero)
    /// Half the second derivative of the error by the scale, the minimum following.
    var curvatures: Pair = .init(repeating: Lanes.zero)
  }

  /// Whether there are sub-blocks above zero, which no minimum that is taken off reaches: negated, with factors
  /// that are negative, they have one.
  func mayBeBetterMirrored(_ ranges: Ranges) -> Bool {
    guard isAffine else { return false }
    return ranges.first.low.largest > 0 || batches > 1 && ranges.second.low.largest > 0
  }

  func ranges(_ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool) -> Ranges {
    var ranges = Ranges()
    ranges.first = blockRange(side, counts, isWeighted: isWeighted, from: 0, count: grid.count)
    if batches > 1 {
      ranges.second = blockRange(
        side, counts, isWeighted: isWeighted, from: 8 &* grid.count, count: grid.count)
    }
    return ranges
  }

  func run(
    _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, _ ranges: Ranges
  ) -> SuperBlockScales {
    var wishes = Wishes()
    let search = SubBlockSearch(isAffine: isAffine, isStored: false)
    for batch in 0..<batches {
      let start = batch &* 8 &* grid.count
      let found = search.best(
        grid, side, counts, isWeighted: isWeighted, from: start, ranges[batch])
      let sums = grid.sums(
        side, counts, isWeighted: isWeighted, from: start, found.scales, ranges[batch])
      let total = ranges[batch].total
      wishes.scales[batch] = found.scales.scale
      wishes.minima[batch] = found.scales.minimum
      wishes.total[batch] = total
      let slope = sums.codes / total
      wishes.slopes[batch] = isAffine ? slope : Lanes.zero
      wishes.curvatures[batch] =
        isAffine ? clampedBelow(sums.squares - slope * sums.codes) : sums.squares
    }
    var best = SuperBlockScales(scale: 0, minimum: 0)
    measure(&best)
    let factors = candidates(wishes)
    for index in 0..<3 where factors[index] != 0 {
      var start = start(factors[index], wishes)
      measure(&start)
      improve(&start, rounds: 2)
      if start.error < best.error { best = start }
    }
    improve(&best, rounds: 3)
    return best

    @inline(__always)
    func measure(_ scales: inout SuperBlockScales) {
      for batch in 0..<batches {
        scales.errors[batch] = grid.error(
          side, counts, isWeighted: isWeighted, from: batch &* 8 &* grid.count,
          scales.scales(batch), ranges[batch])
      }
    }

    func sums(_ scales: SuperBlockScales, _ batch: Int) -> SubBlockSums {
      grid.sums(
        side, counts, isWeighted: isWeighted, from: batch &* 8 &* grid.count,
        scales.scales(batch), ranges[batch])
    }

    func improve(_ scales: inout SuperBlockScales, rounds: Int) {
      for _ in 0..<rounds {
        let before = scales.error
        refit(&scales)
        for batch in 0..<batches { chooseCodes(&scales, batch) }
        guard scales.error < before else { return }
      }
    }

    /// The least-squares factors for the codes.
    func refit(_ scales: inout SuperBlockScales) {
      // Normal equations of two unknowns.
      var (aa, ab, bb, ra, rb) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      for batch in 0..<batches {
        let sums = sums(scales, batch)
        let (a, b) = (scales.scaleCodes[batch], scales.minimumCodes[batch])
        aa += a * a * sums.squares
        ab += a * b * sums.codes
        bb += b * b * wishes.total[batch]
        ra += a * sums.products
        rb += b * sums.rests
      }
      let (saa, sab, sbb) = (aa.laneSum, ab.laneSum, bb.laneSum)
      let (sra, srb) = (ra.laneSum, rb.laneSum)
      var other = scales
      // Of a scale `s + x` and a minimum `m - y`: x, y.
      let determinant = saa * sbb - sab * sab
      if isAffine, determinant > 0x1p-18 * saa * sbb {
        other.scale += (sra * sbb - srb * sab) / determinant
        other.minimum -= (srb * saa - sra * sab) / determinant
      } else if saa > 0 {
        other.scale += sra / saa
      } else if sbb > 0 {
        other.minimum -= srb / sbb
      }
      other.scale = other.scale.nearestHalf
      other.minimum = other.minimum.nearestHalf
      guard other.scale != scales.scale || other.minimum != scales.minimum else { return }
      measure(&other)
      if other.error < scales.error { scales = other }
    }

    /// The best of the whole numbers around what each sub-block wants for its codes.
    func chooseCodes(_ scales: inout SuperBlockScales, _ batch: Int) {
      let sums = sums(scales, batch)
      let now = scales.scales(batch)
      let fit = sums.fit(now, total: wishes.total[batch], isAffine: isAffine, isBounded: isAffine)
      let slope = sums.codes / wishes.total[batch]
      let wished = scaleCodes(fit.scales.scale, scales.scale, -0.5)
      for offset in 0..<2 {
        let code = clampedScaleCode(wished + Float(offset))
        guard isAffine else {
          keep(code, Lanes.zero)
          continue
        }
        let minimum = fit.scales.minimum + (code * scales.scale - fit.scales.scale) * slope
        let low = minimumCodes(minimum, scales.minimum, -0.5)
        keep(code, clampedMinimumCode(low))
        keep(code, clampedMinimumCode(low + 1))
      }

      @inline(__always)
      func keep(_ code: Lanes, _ minimumCode: Lanes) {
        let other = SubBlockScales(
          scale: code * scales.scale, minimum: minimumCode * scales.minimum)
        let error = grid.error(
          side, counts, isWeighted: isWeighted, from: batch &* 8 &* grid.count, other,
          ranges[batch])
        let isBetter = error .< scales.errors[batch]
        scales.scaleCodes[batch].replace(with: code, where: isBetter)
        scales.minimumCodes[batch].replace(with: minimumCode, where: isBetter)
        scales.errors[batch].replace(with: error, where: isBetter)
      }
    }
  }

  @inline(__always)
  private func clampedBelow(_ lanes: Lanes) -> Lanes {
    lanes.replacing(with: Lanes.zero, where: .!(lanes .> 0))
  }

  /// The nearest whole numbers to `scale / factor + offset`, within bounds.
  @inline(__always)
  private func scaleCodes(_ scale: Lanes, _ factor: Float, _ offset: Float) -> Lanes {
    guard factor != 0 else { return Lanes.zero }
    return clampedScaleCode((scale / factor + offset).clamped(0x1p20).wholes)
  }

  @inline(__always)
  private func minimumCodes(_ minimum: Lanes, _ factor: Float, _ offset: Float) -> Lanes {
    guard factor != 0 else { return Lanes.zero }
    return clampedMinimumCode((minimum / factor + offset).clamped(0x1p20).wholes)
  }

  @inline(__always)
  private func clampedScaleCode(_ code: Lanes) -> Lanes {
    let raised = code.replacing(
      with: Lanes(repeating: leastScaleCode), where: code .< leastScaleCode)
    return raised.replacing(
      with: Lanes(repeating: largestScaleCode), where: raised .> largestScaleCode)
  }

  @inline(__always)
  private func clampedMinimumCode(_ code: Lanes) -> Lanes {
    let raised = code.replacing(with: Lanes.zero, where: code .< 0)
    return raised.replacing(
      with: Lanes(repeating: largestScaleCode), where: raised .> largestScaleCode)
  }

  /// The three factors that cost the least by the wishes' curvatures, the best one first; 0 where there are fewer.
  private func candidates(_ wishes: Wishes) -> InlineArray<3, Float> {
    // The largest wish that matters.
    var extreme: Float = 0
    for batch in 0..<batches {
      for lane in 0..<8 where wishes.curvatures[batch][lane] > 0 {
        let scale = wishes.scales[batch][lane]
        if scale.magnitude > extreme.magnitude { extreme = scale }
      }
    }
    var best = InlineArray<3, Float>(repeating: 0)
    var costs = InlineArray<3, Float>(repeating: .infinity)
    let signs = leastScaleCode < 0 ? 2 : 1
    for index in 0...signs * reachCount {
      // Every one with both signs, and the smallest there is, which may be the only one.
      let reach = reach(index / signs)
      let wished = extreme / (index % signs == 0 ? reach : -reach)
      let factor = index < signs * reachCount ? wished.nearestHalf : 0x1p-24
      let isNew = factor != best[0] && factor != best[1] && factor != best[2]
      guard factor != 0, isNew else { continue }
      var cost = Lanes.zero
      for batch in 0..<batches {
        let distance =
          wishes.scales[batch] - scaleCodes(wishes.scales[batch], factor, 0) * factor
        cost += wishes.curvatures[batch] * distance * distance
      }
      insert(factor, cost.laneSum)
    }
    return best

    @inline(__always)
    func insert(_ factor: Float, _ cost: Float) {
      guard cost < costs[2] else { return }
      (best[2], costs[2]) = (factor, cost)
      if cost < costs[1] {
        (best[2], costs[2]) = (best[1], costs[1])
        (best[1], costs[1]) = (factor, cost)
      }
      if cost < costs[0] {
        (best[1], costs[1]) = (best[0], costs[0])
        (best[0], costs[0]) = (factor, cost)
      }
    }
  }

  /// What the largest number is tried to be a multiple of: every whole number of the upper half of the codes is
  /// among them, so that what has been quantized before finds its factors again.
  @inline(__always)
  private func reach(_ index: Int) -> Float {
    largestScaleCode + (5 - Float(index)) * reachStep
  }

  private var reachCount: Int { 6 + Int(0.5 * largestScaleCode / reachStep) }

  private var reachStep: Float {
    largestScaleCode < 16 ? 0.25 : largestScaleCode < 64 ? 0.5 : 1
  }

  /// The wishes in units of a factor.
  private func start(_ factor: Float, _ wishes: Wishes) -> SuperBlockScales {
    var scales = SuperBlockScales(scale: factor, minimum: 0)
    for batch in 0..<batches {
      scales.scaleCodes[batch] = scaleCodes(wishes.scales[batch], factor, 0)
    }
    if isAffine { chooseMinimum(&scales, wishes) }
    return scales
  }

  private func chooseMinimum(_ scales: inout SuperBlockScales, _ wishes: Wishes) {
    var minima = Pair(repeating: Lanes.zero)
    var extreme: Float = 0
    for batch in 0..<batches {
      let moved = scales.scaleCodes[batch] * scales.scale - wishes.scales[batch]
      minima[batch] = clampedBelow(wishes.minima[batch] + moved * wishes.slopes[batch])
      extreme = max(extreme, minima[batch].largest)
    }
    var best = Float.infinity
    for index in 0..<reachCount {
      // The smallest there is may be the only one.
      let factor = max((extreme / reach(index)).nearestHalf, 0x1p-24)
      var cost = Lanes.zero
      for batch in 0..<batches {
        let distance = minima[batch] - minimumCodes(minima[batch], factor, 0) * factor
        cost += wishes.total[batch] * distance * distance
      }
      guard cost.laneSum < best else { continue }
      best = cost.laneSum
      scales.minimum = factor
    }
    for batch in 0..<batches {
      scales.minimumCodes[batch] = minimumCodes(minima[batch], scales.minimum, 0)
    }
  }
}
