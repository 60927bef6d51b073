/// What decoded groups lose.
///
/// - Parameters:
///   - bytes, elements: the weights, as for `quantizeBetweenExtremes`.
///   - decoded: as many numbers.
///   - importance: what squares count by input channel; empty where all count alike.
///   - firstInput: input channel of the first weight of `groups`.
///   - figures: receive for every group the sum of squares, that of squared errors, and the largest
///     error. All in `Double`, in four lanes added in order.
package func compareGroups(
  _ bytes: RawSpan, elements: Int, decoded: Span<Float>, groups: Range<Int>, groupSize: Int,
  importance: Span<Float>, firstInput: Int, figures: inout MutableSpan<Double>
) {
  precondition(groupSize > 0 && groupSize <= largestGroup && groupSize % 4 == 0)
  precondition(groups.lowerBound >= 0 && decoded.count / groupSize >= groups.upperBound)
  precondition(figures.count / 3 >= groups.upperBound)
  precondition(importance.isEmpty || importance.count % groupSize == 0 && firstInput >= 0)
  switch elements {
  case 0: run(F16Element.self)
  case 1: run(BF16Element.self)
  case 2: run(F32Element.self)
  default: preconditionFailure("elements have one of three types")
  }

  @inline(__always)
  func run<E: WeightElement>(_: E.Type) {
    precondition(bytes.byteCount / E.byteCount >= groups.upperBound * groupSize)
    var store = GroupStore(repeating: 0)
    var weights = store.mutableSpan
    for group in groups {
      let start = group &* groupSize
      load(E.self, bytes, at: start, count: groupSize, into: &weights)
      let values = decoded.extracting(start..<start &+ groupSize)
      if importance.isEmpty {
        compare(weights.span, values, groupSize, into: &figures, at: 3 &* group)
      } else {
        let input = (firstInput &+ (group &- groups.lowerBound) &* groupSize) % importance.count
        precondition(input <= importance.count - groupSize)
        compare(
          weights.span, values, importance: importance.extracting(input..<input &+ groupSize),
          groupSize, into: &figures, at: 3 &* group)
      }
    }
  }
}
