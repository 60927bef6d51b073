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

/// What packed groups lose, which are decoded on the way as `dequantizeGroups` does: weights that were decoded
/// before would come from a farther cache.
///
/// - Parameters:
///   - bytes, elements: the weights, as for `quantizeBetweenExtremes`.
///   - codes: `groupCount * groupSize` of them; none above `largestCode`.
///   - scales, biases: one of each for every group, numbers of the type `parameters`.
///   - figures: as for `compareGroups`. A sum of squares of -1 says that the group needs care and was left
///     alone.
package func comparePackedGroups(
  _ bytes: RawSpan, elements: Int, codes: Span<UInt8>, scales: Span<Float>, biases: Span<Float>,
  groupCount: Int, groupSize: Int, largestCode: Int, parameters: Int,
  figures: inout MutableSpan<Double>
) {
  checkRoom(
    for: 0..<groupCount, groupSize, codes: codes.count,
    parameters: min(scales.count, biases.count), figures: figures.count)
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
    precondition(bytes.byteCount / E.byteCount >= groupCount * groupSize)
    var weightStore = GroupStore(repeating: 0)
    var decodedStore = GroupStore(repeating: 0)
    var weights = weightStore.mutableSpan
    var decoded = decodedStore.mutableSpan
    for group in 0..<groupCount {
      let (scale, bias) = unsafe (scales[unchecked: group], biases[unchecked: group])
      guard P.isPlain(stored: scale, bias, steps: Float(largestCode)) else {
        unsafe figures[unchecked: 3 &* group] = -1
        continue
      }
      let start = group &* groupSize
      load(E.self, bytes, at: start, count: groupSize, into: &weights)
      decode(
        P.self, codes, at: start, count: groupSize, scale: scale, bias: bias, into: &decoded, at: 0)
      compare(weights.span, decoded.span, groupSize, into: &figures, at: 3 &* group)
    }
  }
}
