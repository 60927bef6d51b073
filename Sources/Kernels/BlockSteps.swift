// What is done to eight sub-blocks of a block side by side: number l of lanes i belongs to weight i of
// sub-block l.

/// Weights of a super-block, or of eight blocks of 32.
typealias BlockWeights = InlineArray<256, Float>

/// Puts the sub-blocks of 256 weights side by side, and what their errors count, as parts of the largest.
///
/// Weights beyond 2^28 count as that: no scale is larger than the largest F16.
///
/// - Parameter input: of the first weight.
@inline(never)
func spreadBlock(
  _ weights: Span<Float>, from first: Int, blockLength: Int, _ importance: Span<Float>, input: Int,
  subBlockLength count: Int, into side: inout MutableSpan<Float>,
  counts: inout MutableSpan<Float>
) {
  for block in 0..<256 / count {
    // Batches of eight.
    let place = (block / 8) &* 8 &* count &+ block % 8
    for index in 0..<count {
      let weight = unsafe weights[unchecked: first &+ block &* count &+ index]
      var clamped = weight > 0x1p28 ? 0x1p28 : weight
      clamped = clamped < -0x1p28 ? -0x1p28 : clamped
      unsafe side[unchecked: place &+ 8 &* index] = clamped == clamped ? clamped : 0
    }
  }
  guard !importance.isEmpty else { return }
  // Blocks that share no scale have an importance of their own.
  for start in stride(from: 0, to: 256, by: blockLength) {
    let column = (input &+ start) % importance.count
    var largest: Float = 0
    for index in column..<column &+ blockLength {
      let value = unsafe importance[unchecked: index]
      largest = value > largest ? value : largest
    }
    let isPlain = largest > 0 && largest.isFinite
    for index in 0..<blockLength {
      let value = unsafe importance[unchecked: column &+ index]
      // An input that never is anything but zero does not leave its weights free: sums stay invertible.
      let share = isPlain ? value / largest : 1
      let block = (start &+ index) / count
      let place = (block / 8) &* 8 &* count &+ block % 8 &+ 8 &* ((start &+ index) % count)
      unsafe counts[unchecked: place] = share > 0x1p-40 ? share : 0x1p-40
    }
  }
}

@inline(never)
func blockRange(
  _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, from start: Int, count: Int
) -> SubBlockRange {
  var (low, high) = (side.eight(start), side.eight(start))
  var total = isWeighted ? Lanes.zero : Lanes(repeating: Float(count))
  for index in 0..<count {
    let weight = side.eight(start &+ 8 &* index)
    low.replace(with: weight, where: weight .< low)
    high.replace(with: weight, where: weight .> high)
    if isWeighted { total += counts.eight(start &+ 8 &* index) }
  }
  return SubBlockRange(low: low, high: high, total: total)
}

extension Float {
  /// The nearest F16 number; the largest one for what is beyond it.
  @inline(__always)
  var nearestHalf: Float { Lanes(repeating: self).nearestHalves[0] }
}

extension SIMD8<Float> {
  /// The nearest F16 numbers; the largest ones for what is beyond them.
  @inline(__always)
  var nearestHalves: Lanes {
    var clamped = self
    clamped.replace(with: 65504, where: clamped .> 65504)
    clamped.replace(with: -65504, where: clamped .< -65504)
    return F16Parameters.roundParameters(clamped)
  }

  @inline(__always)
  var laneSum: Float {
    ((self[0] + self[4]) + (self[2] + self[6])) + ((self[1] + self[5]) + (self[3] + self[7]))
  }

  /// The nearest whole numbers, of numbers below 2^22.
  @inline(__always)
  var wholes: Lanes { (self + Lanes(repeating: 0x1.8p23)) - Lanes(repeating: 0x1.8p23) }

  /// Numbers within a limit of 0; NaN is 0.
  @inline(__always)
  func clamped(_ limit: Float) -> Lanes {
    var result = self
    result.replace(with: limit, where: self .> limit)
    result.replace(with: -limit, where: self .< -limit)
    return result.replacing(with: Lanes.zero, where: self .!= self)
  }
}
