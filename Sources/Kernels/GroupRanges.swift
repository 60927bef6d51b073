/// Of groups of weights, the square of what lies between the smallest and the largest: what rounding to
/// codes loses grows with it.
///
/// A little of the square of the larger end, 2⁻¹⁶ of it, is added: groups of equal weights lose what rounding
/// their bias loses.
///
/// - Parameters:
///   - bytes, elements: the weights, as for `quantizeBetweenExtremes`.
///   - squares: receives one for each of `groupCount` groups.
package func squaredRanges(
  _ bytes: RawSpan, elements: Int, groupCount: Int, groupSize: Int,
  into squares: inout MutableSpan<Double>
) {
  precondition(groupSize > 0 && groupSize <= largestGroup)
  precondition(groupCount >= 0 && squares.count >= groupCount)
  switch elements {
  case 0: run(F16Element.self)
  case 1: run(BF16Element.self)
  case 2: run(F32Element.self)
  default: preconditionFailure("elements have one of three types")
  }

  @inline(__always)
  func run<E: WeightElement>(_: E.Type) {
    let size = groupSize &* E.byteCount
    precondition(bytes.byteCount / size >= groupCount)
    for group in 0..<groupCount {
      let range = E.range(bytes, group &* size, groupSize)
      let (low, high) = (Double(range.low), Double(range.high))
      let (between, end) = (high - low, max(-low, high))
      unsafe squares[unchecked: group] = between * between + 0x1p-16 * (end * end)
    }
  }
}
