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
  precondition(importance.count % 256 == 0 && firstInput >= 0 && firstInput % 256 == 0)
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

private func negate(_ numbers: inout MutableSpan<Float>) {
  for index in 0..<numbers.count { numbers[index] = -numbers[index] }
}
