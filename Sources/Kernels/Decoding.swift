/// Decodes groups from `first` on as MLX does, rounding product and sum, until one needs care.
///
/// - Parameters:
///   - codes: `groupCount * groupSize` of them; none above `largestCode`.
///   - scales, biases: one of each for every group, numbers of the type `parameters` (0 for F16, 1 for
///     BF16, 2 for F32).
/// - Returns: the group that was not decoded, or `groupCount`.
package func dequantizeGroups(
  _ codes: Span<UInt8>, scales: Span<Float>, biases: Span<Float>, from first: Int,
  groupCount: Int, groupSize: Int, largestCode: Int, parameters: Int,
  into weights: inout MutableSpan<Float>
) -> Int {
  precondition(groupSize > 0 && first >= 0 && groupCount >= first)
  precondition(codes.count / groupSize >= groupCount && weights.count / groupSize >= groupCount)
  precondition(scales.count >= groupCount && biases.count >= groupCount)
  return switch parameters {
  case 0: run(F16Parameters.self)
  case 1: run(BF16Parameters.self)
  case 2: run(F32Parameters.self)
  default: preconditionFailure("parameters have one of three types")
  }

  @inline(__always)
  func run<P: ParameterType>(_: P.Type) -> Int {
    for group in first..<groupCount {
      let (scale, bias) = unsafe (scales[unchecked: group], biases[unchecked: group])
      guard P.isPlain(stored: scale, bias, steps: Float(largestCode)) else { return group }
      let start = group &* groupSize
      decode(
        P.self, codes, at: start, count: groupSize, scale: scale, bias: bias, into: &weights,
        at: start)
    }
    return groupCount
  }
}

/// The largest magnitude among 16-bit patterns of a sign and a number that grows with the magnitude.
package func largestMagnitude(_ patterns: RawSpan, count: Int) -> Int16 {
  precondition(count >= 0 && patterns.byteCount / 2 >= count)
  var largest: Int16 = 0
  for index in 0..<count {
    largest = max(largest, F16Element.pattern(patterns, 2 &* index) & 0x7FFF)
  }
  return largest
}
