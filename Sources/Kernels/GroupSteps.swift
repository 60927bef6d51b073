// What is done to one group after the other. Each step is a function of its own: where the compiler
// puts them into one, it takes vectors apart.

/// Weights of the largest group.
let largestGroup = 128

typealias GroupStore = InlineArray<128, Float>

/// Traps where arrays of these lengths have no room for `groups`, or groups are none that kernels take.
func checkRoom(
  for groups: Range<Int>, _ groupSize: Int, codes: Int, parameters: Int, figures: Int
) {
  precondition(groupSize > 0 && groupSize <= largestGroup && groupSize % 8 == 0)
  precondition(groups.lowerBound >= 0 && codes / groupSize >= groups.upperBound)
  precondition(parameters >= groups.upperBound && figures / 3 >= groups.upperBound)
}

@inline(never)
func load<E: WeightElement>(
  _: E.Type, _ bytes: RawSpan, at start: Int, count: Int, into weights: inout MutableSpan<Float>
) {
  for index in 0..<count {
    unsafe weights[unchecked: index] = E.load(bytes, (start &+ index) &* E.byteCount)
  }
}

/// Gives every weight its nearest code for the scale and bias of `encoding`,
/// `clamp(rint((w - bias) / scale), 0, steps)`, and decodes it with others as MLX does, rounding product
/// and sum.
@inline(never)
func encode<P: ParameterType>(
  _: P.Type, _ weights: Span<Float>, _ count: Int,
  encoding: (scale: Float, bias: Float), scale: Float, bias: Float, steps: Float,
  into codes: inout MutableSpan<UInt8>, at start: Int, positions: inout MutableSpan<Float>,
  decoded: inout MutableSpan<Float>
) {
  let limit = CodeLimit(steps)
  for index in stride(from: 0, to: count, by: 8) {
    let rounded = ((weights.eight(index) - encoding.bias) / encoding.scale).roundedCodes(
      limit: limit)
    positions.setEight(rounded, index)
    decoded.setEight(P.round(P.round((rounded - Lanes.rounding) * scale) + bias), index)
  }
  for index in 0..<count {
    unsafe codes[unchecked: start &+ index] = UInt8(
      truncatingIfNeeded: positions[unchecked: index].bitPattern)
  }
}

/// Decodes a group as MLX does, rounding product and sum.
@inline(never)
func decode<P: ParameterType>(
  _: P.Type, _ codes: Span<UInt8>, at start: Int, count: Int, scale: Float, bias: Float,
  into weights: inout MutableSpan<Float>, at place: Int
) {
  for index in 0..<count {
    let code = unsafe Float(codes[unchecked: start &+ index])
    unsafe weights[unchecked: place &+ index] = P.round(P.round(code * scale) + bias)
  }
}

/// Sum of squares, of squared errors, and the largest error: all in `Double`, in four lanes added in
/// order.
@inline(never)
func compare(
  _ weights: Span<Float>, _ decoded: Span<Float>, _ count: Int,
  into figures: inout MutableSpan<Double>, at place: Int
) {
  compare(weights, decoded, weights, isWeighted: false, count, into: &figures, at: place)
}

/// The same, each square times what it counts.
@inline(never)
func compare(
  _ weights: Span<Float>, _ decoded: Span<Float>, importance: Span<Float>, _ count: Int,
  into figures: inout MutableSpan<Double>, at place: Int
) {
  compare(weights, decoded, importance, isWeighted: true, count, into: &figures, at: place)
}

@inline(__always)
private func compare(
  _ weights: Span<Float>, _ decoded: Span<Float>, _ importance: Span<Float>, isWeighted: Bool,
  _ count: Int, into figures: inout MutableSpan<Double>, at place: Int
) {
  var norms = SIMD4<Double>.zero
  var errors = SIMD4<Double>.zero
  var largest = SIMD4<Double>.zero
  var base = 0
  while base < count {
    let weight = SIMD4<Double>(weights.four(base))
    let difference = weight - SIMD4<Double>(decoded.four(base))
    if isWeighted {
      let counts = SIMD4<Double>(importance.four(base))
      norms += counts * weight * weight
      errors += counts * difference * difference
    } else {
      norms += weight * weight
      errors += difference * difference
    }
    let distance = difference.magnitudes
    largest.replace(with: distance, where: distance .> largest)
    base &+= 4
  }
  unsafe figures[unchecked: place] = (norms[0] + norms[1]) + (norms[2] + norms[3])
  unsafe figures[unchecked: place &+ 1] = (errors[0] + errors[1]) + (errors[2] + errors[3])
  unsafe figures[unchecked: place &+ 2] = max(
    max(largest[0], largest[1]), max(largest[2], largest[3]))
}
