/// Quantizes some of the groups that lie one after the other, eight at a time, with the scale and bias of
/// the least squared error that a search finds.
///
/// - Parameters:
///   - importance: what squared errors count by input channel; empty where all count alike.
///   - firstInput: input channel of the first weight of `groups`.
///   - widest: as for `LineSearch`.
///   - moveLimit: how far a weight may move, in steps of the stored scale.
///   - bytes, elements, parameters, codes, scales, biases, figures: as for `quantizeBetweenExtremes`. Of
///     a group that needs care, `scales` and `biases` receive the line that was found, not rounded yet;
///     NaN where there is none. Besides groups with special numbers it is those where what was found is
///     not clearly better than the extremes and than MLX's own choice.
package func quantizeBySearch(
  _ bytes: RawSpan, elements: Int, groups: Range<Int>, groupSize: Int, largestCode: Int,
  parameters: Int, importance: Span<Float>, firstInput: Int, widest: Float, moveLimit: Float,
  codes: inout MutableSpan<UInt8>, scales: inout MutableSpan<Float>,
  biases: inout MutableSpan<Float>, figures: inout MutableSpan<Double>
) {
  checkRoom(
    for: groups, groupSize, codes: codes.count, parameters: min(scales.count, biases.count),
    figures: figures.count)
  precondition(importance.isEmpty || importance.count % groupSize == 0 && firstInput >= 0)
  switch (elements, parameters) {
  case (0, 0): run(F16Element.self, F16Parameters.self)
  case (0, 1): run(F16Element.self, BF16Parameters.self)
  case (0, 2): run(F16Element.self, F32Parameters.self)
  case (1, 0): run(BF16Element.self, F16Parameters.self)
  case (1, 1): run(BF16Element.self, BF16Parameters.self)
  case (1, 2): run(BF16Element.self, F32Parameters.self)
  case (2, 0): run(F32Element.self, F16Parameters.self)
  case (2, 1): run(F32Element.self, BF16Parameters.self)
  case (2, 2): run(F32Element.self, F32Parameters.self)
  default: preconditionFailure("elements and parameters have one of three types")
  }

  @inline(__always)
  func run<E: WeightElement, P: ParameterType>(_: E.Type, _: P.Type) {
    precondition(bytes.byteCount / E.byteCount >= groups.upperBound * groupSize)
    let isWeighted = !importance.isEmpty
    let steps = Float(largestCode)
    var weightStore = GroupStore(repeating: 0)
    var decodedStore = GroupStore(repeating: 0)
    var positionStore = GroupStore(repeating: 0)
    var sideStore = BatchStore(repeating: 0)
    var valueStore = BatchStore(repeating: 0)
    var countStore = BatchStore(repeating: 0)
    var weights = weightStore.mutableSpan
    var decoded = decodedStore.mutableSpan
    var positions = positionStore.mutableSpan
    var side = sideStore.mutableSpan
    var values = valueStore.mutableSpan
    var counts = countStore.mutableSpan
    for first in stride(from: groups.lowerBound, to: groups.upperBound, by: 8) {
      let lanes = min(8, groups.upperBound &- first)
      var (low, high) = (Lanes.zero, Lanes.zero)
      for lane in 0..<8 {
        // Lanes behind the last group do what the first one does.
        let group = lane < lanes ? first &+ lane : first
        let start = group &* groupSize
        let range = E.range(bytes, start &* E.byteCount, groupSize)
        (low[lane], high[lane]) = (range.low, range.high)
        loadLane(E.self, bytes, at: start, count: groupSize, lane: lane, into: &side)
        if isWeighted {
          let input = (firstInput &+ (group &- groups.lowerBound) &* groupSize) % importance.count
          spreadLane(importance, at: input, count: groupSize, lane: lane, into: &counts)
        }
      }
      let unit = (high - low) / steps
      let (mean, total, spread) = normalize(
        side.span, counts.span, isWeighted, low: low, unit: unit, count: groupSize, into: &values)
      let search = LineSearch(
        count: groupSize, steps: steps, total: total, mean: mean, spread: spread)
      let extremes = Choice(scale: unit, bias: low)
      let mlx = Choice(mlxLow: low, high: high, steps: steps)
      let line = lines(
        search, values.span, counts.span, isWeighted, widest)
      // A range beyond `Float`, or one so narrow that its unit is subnormal, has no line.
      var found = Choice(scale: line.scale * unit, bias: low + (mean + line.offset) * unit)
      // The best offset for the scale as it is stored: lines go through the mean.
      let rounded = P.roundParameters(found.scale)
      let bias = found.bias + (found.scale - rounded) * line.meanCode
      found.bias = bias
      // The mirrored form of the same line has the smaller bias where the maximum is the larger end: that
      // loses less when it is rounded.
      var mirrored = found
      mirrored.scale = -found.scale
      mirrored.bias = bias + rounded * steps
      let isMirrored = mirrored.bias.magnitudes .< bias.magnitudes
      let other = mirrored.replacing(with: found, where: isMirrored)
      found = found.replacing(with: mirrored, where: isMirrored)

      let isPlain =
        P.isPlain(found.scale, found.bias, steps: steps) .& P.isPlain(unit, low, steps: steps)
        .& P.isPlain(mlx.scale, mlx.bias, steps: steps)
        .& (unit .>= 0x1p-40) .& (unit .<= 0x1p40)
      // What is found is stored as codes are chosen for it, and so are the extremes.
      var best = found.rounded(P.self)
      var squared = nearLoss(
        P.self, side.span, counts.span, isWeighted, groupSize, steps, best, moveLimit: moveLimit)
      if steps > 31 {
        // So many codes that rounding counts: which form is better must be seen.
        let otherStored = other.rounded(P.self)
        let otherSquared = nearLoss(
          P.self, side.span, counts.span, isWeighted, groupSize, steps, otherStored,
          moveLimit: moveLimit)
        best.replace(with: otherStored, where: otherSquared .< squared)
        squared.replace(with: otherSquared, where: otherSquared .< squared)
      }
      var encoding = best
      let extremesStored = extremes.rounded(P.self)
      let extremesSquared = loss(
        P.self, side.span, counts.span, isWeighted, groupSize, steps, codes: extremesStored,
        extremesStored)
      let mlxStored = mlx.rounded(P.self)
      let mlxSquared = loss(
        P.self, side.span, counts.span, isWeighted, groupSize, steps, codes: mlx, mlxStored)
      let isExtremes = extremesSquared .<= squared
      best.replace(with: extremesStored, where: isExtremes)
      encoding.replace(with: extremesStored, where: isExtremes)
      squared.replace(with: extremesSquared, where: isExtremes)
      let isMLX = mlxSquared .< squared
      best.replace(with: mlxStored, where: isMLX)
      encoding.replace(with: mlx, where: isMLX)
      squared.replace(with: mlxSquared, where: isMLX)
      // Sums in `Float` have their own errors: what is close is left to sums in `Double`.
      let limit = squared * (1 + 0x1p-12)
      let isClear =
        ((limit .< extremesSquared) .| (isExtremes .& .!isMLX))
        .& ((limit .< mlxSquared) .| isMLX)
      let isDone = isPlain .& isClear
      for lane in 0..<lanes {
        let group = first &+ lane
        guard isDone[lane] else {
          let isLine = unit[lane].isFinite && unit[lane] >= .leastNormalMagnitude
          unsafe scales[unchecked: group] = isLine ? found.scale[lane] : .nan
          unsafe biases[unchecked: group] = found.bias[lane]
          unsafe figures[unchecked: 3 &* group] = -1
          continue
        }
        unsafe scales[unchecked: group] = best.scale[lane]
        unsafe biases[unchecked: group] = best.bias[lane]
        let start = group &* groupSize
        load(E.self, bytes, at: start, count: groupSize, into: &weights)
        encode(
          P.self, weights.span, groupSize, encoding: (encoding.scale[lane], encoding.bias[lane]),
          scale: best.scale[lane], bias: best.bias[lane], steps: steps, into: &codes, at: start,
          positions: &positions, decoded: &decoded)
        compare(weights.span, decoded.span, groupSize, into: &figures, at: 3 &* group)
      }
    }
  }
}
