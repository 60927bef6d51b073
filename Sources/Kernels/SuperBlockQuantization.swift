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
    return (0..<batches).contains { batch in (0..<8).contains { ranges[batch].low[$0] > 0 } }
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
    let search = SubBlockSearch(grid: grid, isAffine: isAffine, isStored: false)
    for batch in 0..<batches {
      let start = batch &* 8 &* grid.count
      let found = search.best(
        side, counts, isWeighted: isWeighted, from: start, ranges[batch])
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
    var starts = candidates(wishes)
    for index in starts.indices {
      measure(&starts[index])
      improve(&starts[index], rounds: 2)
      if starts[index].error < best.error { best = starts[index] }
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

  /// The factors that cost the least by the wishes' curvatures.
  private func candidates(_ wishes: Wishes) -> [SuperBlockScales] {
    // The largest wish that matters.
    var extreme: Float = 0
    for batch in 0..<batches {
      for lane in 0..<8 where wishes.curvatures[batch][lane] > 0 {
        let scale = wishes.scales[batch][lane]
        if scale.magnitude > extreme.magnitude { extreme = scale }
      }
    }
    var best: [(cost: Float, scale: Float)] = []
    func propose(_ factor: Float) {
      let scale = factor.nearestHalf
      guard scale != 0, !best.contains(where: { $0.scale == scale }) else { return }
      var cost = Lanes.zero
      for batch in 0..<batches {
        let distance =
          wishes.scales[batch] - scaleCodes(wishes.scales[batch], scale, 0) * scale
        cost += wishes.curvatures[batch] * distance * distance
      }
      let sum = cost.laneSum
      let place = best.firstIndex { sum < $0.cost } ?? best.count
      if place < 3 { best.insert((sum, scale), at: place) }
      if best.count > 3 { best.removeLast() }
    }
    for reach in reaches {
      propose(extreme / reach)
      if leastScaleCode < 0 { propose(extreme / -reach) }
    }
    propose(0x1p-24)
    if best.isEmpty { best = [(0, 0)] }
    return best.map { start in
      var scales = SuperBlockScales(scale: start.scale, minimum: 0)
      for batch in 0..<batches {
        scales.scaleCodes[batch] = scaleCodes(wishes.scales[batch], scales.scale, 0)
      }
      if isAffine { chooseMinimum(&scales, wishes) }
      return scales
    }
  }

  /// What the largest number is tried to be a multiple of: every whole number of the upper half of the codes is
  /// among them, so that what has been quantized before finds its factors again.
  private var reaches: StrideThrough<Float> {
    let step: Float = largestScaleCode < 16 ? 0.25 : largestScaleCode < 64 ? 0.5 : 1
    return stride(from: largestScaleCode + 5 * step, through: largestScaleCode / 2, by: -step)
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
    for reach in reaches {
      // The smallest there is may be the only one.
      let factor = max((extreme / reach).nearestHalf, 0x1p-24)
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

extension SIMD8<Float> {
  /// Numbers within a limit of 0; NaN is 0.
  @inline(__always)
  func clamped(_ limit: Float) -> Lanes {
    var result = self
    result.replace(with: limit, where: self .> limit)
    result.replace(with: -limit, where: self .< -limit)
    return result.replacing(with: Lanes.zero, where: self .!= self)
  }
}

private func negate(_ numbers: inout MutableSpan<Float>) {
  for index in 0..<numbers.count { numbers[index] = -numbers[index] }
}

/// Quantizes super-blocks of 256 weights that lie one after the other: codes, what their sub-blocks multiply
/// two F16 factors with, and the factors, of the least squared error that a search finds.
///
/// - Parameters:
///   - weights: `256 * blockCount`, finite.
///   - importance: what squared errors count by input: finite and not negative; empty where all count alike.
///   - firstInput: input of the first weight.
///   - count: weights of a sub-block, 16 or 32.
///   - isAffine: whether weights are `scale * code - minimum`, or `scale * (code - zero)`.
///   - codes: one for each weight.
///   - scaleCodes, minimumCodes: one for each sub-block.
///   - factors: two for each block: of scales, and of minima.
package func quantizeSuperBlocks(
  _ weights: Span<Float>, blockCount: Int, importance: Span<Float>, firstInput: Int,
  subBlockLength count: Int, isAffine: Bool, zero: Int, largestCode: Int, leastScaleCode: Int,
  largestScaleCode: Int, codes: inout MutableSpan<UInt8>, scaleCodes: inout MutableSpan<Int8>,
  minimumCodes: inout MutableSpan<Int8>, factors: inout MutableSpan<Float>
) {
  precondition(count == 16 || count == 32)
  precondition(min(weights.count, codes.count) / 256 >= blockCount && blockCount >= 0)
  precondition(min(scaleCodes.count, minimumCodes.count) >= blockCount * (256 / count))
  precondition(factors.count >= 2 * blockCount)
  precondition(importance.isEmpty || importance.count % 256 == 0 && firstInput >= 0)
  let search = SuperBlockSearch(
    grid: BlockGrid(count: count, zero: zero, largestCode: largestCode), isAffine: isAffine,
    leastScaleCode: Float(leastScaleCode), largestScaleCode: Float(largestScaleCode),
    batches: 256 / (8 * count))
  var sideStore = BlockWeights(repeating: 0)
  var countStore = BlockWeights(repeating: 0)
  var side = sideStore.mutableSpan
  var counts = countStore.mutableSpan
  for block in 0..<blockCount {
    spreadBlock(
      weights, from: 256 &* block, blockLength: 256, importance,
      input: firstInput &+ 256 &* block, subBlockLength: count, into: &side, counts: &counts)
    let isWeighted = !importance.isEmpty
    let ranges = search.ranges(side.span, counts.span, isWeighted: isWeighted)
    var scales = search.run(side.span, counts.span, isWeighted: isWeighted, ranges)
    if search.mayBeBetterMirrored(ranges) {
      negate(&side)
      let mirrored = search.run(
        side.span, counts.span, isWeighted: isWeighted, ranges.negated)
      negate(&side)
      if mirrored.error < scales.error { scales = mirrored.negated }
    }
    factors[2 * block] = scales.scale
    factors[2 * block + 1] = scales.minimum
    for batch in 0..<search.batches {
      search.grid.encode(
        side.span, from: batch &* 8 &* count, scales.scales(batch), ranges[batch],
        into: &codes, at: 256 &* block &+ batch &* 8 &* count)
      for lane in 0..<8 {
        let place = block &* (256 / count) &+ batch &* 8 &+ lane
        scaleCodes[place] = Int8(scales.scaleCodes[batch][lane])
        minimumCodes[place] = Int8(scales.minimumCodes[batch][lane])
      }
    }
  }
}
