/// Quantizes blocks of 32 weights that lie one after the other, eight at a time: codes, and an F16 scale and
/// minimum for each block, of the least squared error that a search finds. It is no larger than with a scale
/// between the extremes.
///
/// - Parameters:
///   - weights: `32 * blockCount`, finite.
///   - importance: what squared errors count by input: finite and not negative; empty where all count alike.
///   - firstInput: input of the first weight.
///   - isAffine: whether weights are `scale * code - minimum`, or `scale * (code - zero)`.
///   - leastCode, largestCode: codes are between them.
///   - codes: one for each weight.
///   - scales, minima: one of each for every block, numbers of F16.
package func quantizeBlocks(
  _ weights: Span<Float>, blockCount: Int, importance: Span<Float>, firstInput: Int,
  isAffine: Bool, zero: Int, leastCode: Int, largestCode: Int, codes: inout MutableSpan<UInt8>,
  scales: inout MutableSpan<Float>, minima: inout MutableSpan<Float>
) {
  precondition(min(weights.count, codes.count) / 32 >= blockCount && blockCount >= 0)
  precondition(min(scales.count, minima.count) >= blockCount)
  precondition(importance.count % 32 == 0 && firstInput >= 0 && firstInput % 32 == 0)
  let search = BlockSearch(
    grid: BlockGrid(
      count: 32, zero: zero - leastCode, largestCode: largestCode - leastCode), isAffine: isAffine)
  let isWeighted = !importance.isEmpty
  let offset = UInt8(leastCode)
  var sideStore = BlockWeights(repeating: 0)
  var countStore = BlockWeights(repeating: 0)
  var restStore = BlockWeights(repeating: 0)
  var codeStore = InlineArray<256, UInt8>(repeating: 0)
  var side = sideStore.mutableSpan
  var counts = countStore.mutableSpan
  var rest = restStore.mutableSpan
  var chosen = codeStore.mutableSpan
  for first in stride(from: 0, to: blockCount, by: 8) {
    let blocks = min(8, blockCount &- first)
    for index in 0..<256 { rest[index] = index < 32 * blocks ? weights[32 * first + index] : 0 }
    spreadBlock(
      rest.span, from: 0, blockLength: 32, importance, input: firstInput &+ 32 &* first,
      subBlockLength: 32, into: &side, counts: &counts)
    let range = blockRange(side.span, counts.span, isWeighted: isWeighted, from: 0, count: 32)
    let found = search.run(side.span, counts.span, isWeighted: isWeighted, range)
    search.grid.encode(side.span, from: 0, found, range, into: &chosen, at: 0)
    for index in 0..<32 * blocks { codes[32 * first + index] = chosen[index] + offset }
    for lane in 0..<blocks {
      scales[first + lane] = found.scale[lane]
      minima[first + lane] = found.minimum[lane]
    }
  }
}
