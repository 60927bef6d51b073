// Quantization between the extremes of every group (QA-LoRA, arXiv 2309.14717, Eq. 1), from stored
// bytes to codes, parameters and what they lose, group after group through the nearest cache.

/// Quantizes some of the groups that lie one after the other.
///
/// - Parameters:
///   - bytes: the weights, finite; `elements` says their type: 0 for F16, 1 for BF16, 2 for F32.
///   - parameters: the type that scales and biases are rounded to, likewise.
///   - codes: receives one code for every weight.
///   - scales, biases: receive one of each for every group.
///   - figures: receive for every group the sum of squares, that of squared errors, and the largest
///     error. A sum of squares of -1 says that the group needs care and was left alone.
package func quantizeBetweenExtremes(
  _ bytes: RawSpan, elements: Int, groups: Range<Int>, groupSize: Int, largestCode: Int,
  parameters: Int, codes: inout MutableSpan<UInt8>, scales: inout MutableSpan<Float>,
  biases: inout MutableSpan<Float>, figures: inout MutableSpan<Double>
) {
  checkRoom(
    for: groups, groupSize, codes: codes.count, parameters: min(scales.count, biases.count),
    figures: figures.count)
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
    var weightStore = GroupStore(repeating: 0)
    var decodedStore = GroupStore(repeating: 0)
    var positionStore = GroupStore(repeating: 0)
    var weights = weightStore.mutableSpan
    var decoded = decodedStore.mutableSpan
    var positions = positionStore.mutableSpan
    for first in stride(from: groups.lowerBound, to: groups.upperBound, by: 8) {
      let lanes = min(8, groups.upperBound &- first)
      var (low, high) = (Lanes.zero, Lanes.zero)
      for lane in 0..<lanes {
        let start = (first &+ lane) &* groupSize &* E.byteCount
        (low[lane], high[lane]) = E.range(bytes, start, groupSize)
      }
      let steps = Float(largestCode)
      let scale = (high - low) / steps
      let isPlain = P.isPlain(scale, low, steps: steps)
      let (storedScales, storedBiases) = (P.roundParameters(scale), P.roundParameters(low))
      for lane in 0..<lanes {
        let group = first &+ lane
        unsafe scales[unchecked: group] = storedScales[lane]
        unsafe biases[unchecked: group] = storedBiases[lane]
        guard isPlain[lane] else {
          unsafe figures[unchecked: 3 &* group] = -1
          continue
        }
        let start = group &* groupSize
        load(E.self, bytes, at: start, count: groupSize, into: &weights)
        encode(
          P.self, weights.span, groupSize, encoding: (storedScales[lane], storedBiases[lane]),
          scale: storedScales[lane], bias: storedBiases[lane],
          steps: steps, into: &codes, at: start, positions: &positions, decoded: &decoded)
        compare(weights.span, decoded.span, groupSize, into: &figures, at: 3 &* group)
      }
    }
  }
}
