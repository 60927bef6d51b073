// What is done to eight sub-blocks of a block side by side: number l of lanes i belongs to weight i of
// sub-block l.

/// Weights of a super-block, or of eight blocks of 32.
typealias BlockWeights = InlineArray<256, Float>

/// Scales and minima of eight sub-blocks; weights are `(code - zero) * scale - minimum`.
struct SubBlockScales {
  var scale: Lanes
  var minimum: Lanes

  @inline(__always)
  mutating func replace(with other: SubBlockScales, where mask: LaneMask) {
    scale.replace(with: other.scale, where: mask)
    minimum.replace(with: other.minimum, where: mask)
  }

  /// What positions are multiplied with: the inverse of the scale, but none that takes a weight further than
  /// 2^13 steps, and 0 where there is no scale.
  @inline(__always)
  func inverse(_ range: SubBlockRange) -> Lanes {
    let (low, high) = ((range.low + minimum).magnitudes, (range.high + minimum).magnitudes)
    let limit = 0x1p13 / low.replacing(with: high, where: high .> low)
    var inverse = 1 / scale
    let capped = limit.replacing(with: -limit, where: scale .< 0)
    inverse.replace(with: capped, where: .!(inverse.magnitudes .<= limit))
    inverse.replace(with: Lanes.zero, where: scale .== 0)
    return inverse
  }
}

/// Smallest and largest weights of eight sub-blocks, and what all weights count.
struct SubBlockRange {
  var low = Lanes.zero
  var high = Lanes.zero
  var total = Lanes.zero

  /// Of the same weights with the other sign.
  var negated: SubBlockRange { SubBlockRange(low: -high, high: -low, total: total) }
}

/// Sums over the weights of eight sub-blocks, each weight times what its error counts. `c` is `code - zero` of
/// the nearest code, `e` the error.
struct SubBlockSums {
  /// Of e².
  var error = Lanes.zero
  /// Of c, and of c².
  var codes = Lanes.zero
  var squares = Lanes.zero
  /// Of e, and of e * c.
  var rests = Lanes.zero
  var products = Lanes.zero

  /// The least-squares scale and minimum for these codes, and the error with them.
  ///
  /// - Parameters:
  ///   - scales: those that the sums were made with.
  ///   - total: what all weights count.
  ///   - isAffine: whether there is a minimum.
  ///   - isBounded: whether minima are not negative.
  @inline(__always)
  func fit(_ scales: SubBlockScales, total: Lanes, isAffine: Bool, isBounded: Bool) -> (
    scales: SubBlockScales, error: Lanes
  ) {
    guard isAffine else {
      let hasSteps = squares .> 0
      let step = (products / squares).replacing(with: Lanes.zero, where: .!hasSteps)
      return (
        SubBlockScales(scale: scales.scale + step, minimum: Lanes.zero), error - step * products
      )
    }
    let determinant = total * squares - codes * codes
    // What rounding leaves of codes that are all equal is no slope.
    let hasSlope = determinant .> 0x1p-18 * (total * squares)
    let steeper = ((total * products - rests * codes) / determinant).replacing(
      with: Lanes.zero, where: .!hasSlope)
    let higher = (rests - steeper * codes) / total
    var (scale, minimum) = (scales.scale + steeper, scales.minimum - higher)
    var rest = error - steeper * products - higher * rests
    if isBounded {
      // The best line through zero, where the best of all lies above it.
      let isBelow = minimum .< 0
      let hasSteps = squares .> 0
      let raised = scales.minimum
      let step = ((products - raised * codes) / squares).replacing(
        with: Lanes.zero, where: .!hasSteps)
      let lifted = error + raised * (raised * total - 2 * rests)
      let through = lifted - step * step * squares
      scale.replace(with: scales.scale + step, where: isBelow)
      minimum.replace(with: Lanes.zero, where: isBelow)
      rest.replace(with: through, where: isBelow)
    }
    return (SubBlockScales(scale: scale, minimum: minimum), rest)
  }

  /// Best scales as F16 holds them, and the error with them; the minimum is the best one for the scale as it is
  /// rounded.
  func stored(_ scales: SubBlockScales, _ error: Lanes, total: Lanes, isAffine: Bool) -> (
    scales: SubBlockScales, error: Lanes
  ) {
    let scale = scales.scale.nearestHalves
    let step = scale - scales.scale
    let minimum =
      isAffine ? (scales.minimum + step * (codes / total)).nearestHalves : Lanes.zero
    let rise = minimum - scales.minimum
    return (
      SubBlockScales(scale: scale, minimum: minimum),
      error + step * (step * squares - 2 * rise * codes) + rise * rise * total
    )
  }
}

/// Codes from 0 to a limit.
struct BlockGrid {
  /// Weights of a sub-block.
  let count: Int
  /// The code of zero.
  let zero: Float
  let largestCode: Float

  init(count: Int, zero: Int, largestCode: Int) {
    self.count = count
    self.zero = Float(zero)
    self.largestCode = Float(largestCode)
  }

  // Not stored: types within stored types have metadata, whose functions the builds would share.
  private var limit: CodeLimit { CodeLimit(largestCode) }

  /// The squared errors of the nearest codes.
  ///
  /// - Parameters:
  ///   - side: weights of the sub-blocks.
  ///   - counts: what squares count; read where `isWeighted`.
  ///   - range: of the weights.
  @inline(__always)
  func error(
    _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, from start: Int,
    _ scales: SubBlockScales, _ range: SubBlockRange
  ) -> Lanes {
    isWeighted
      ? weightedError(side, counts, start, scales, range)
      : plainError(side, counts, start, scales, range)
  }

  @inline(never)
  private func weightedError(
    _ side: Span<Float>, _ counts: Span<Float>, _ start: Int, _ scales: SubBlockScales,
    _ range: SubBlockRange
  ) -> Lanes { squares(side, counts, true, start, scales, range) }

  @inline(never)
  private func plainError(
    _ side: Span<Float>, _ counts: Span<Float>, _ start: Int, _ scales: SubBlockScales,
    _ range: SubBlockRange
  ) -> Lanes { squares(side, counts, false, start, scales, range) }

  @inline(__always)
  private func squares(
    _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, _ start: Int,
    _ scales: SubBlockScales, _ range: SubBlockRange
  ) -> Lanes {
    let (inverse, limit) = (scales.inverse(range), limit)
    let (scale, minimum, zero) = (scales.scale, scales.minimum, Lanes(repeating: zero))
    var sum = Lanes.zero
    for index in 0..<count {
      let place = start &+ 8 &* index
      let weight = side.eight(place)
      let code = ((weight + minimum) * inverse + zero).roundedCodes(limit: limit) - Lanes.rounding
      let error = weight - ((code - zero) * scale - minimum)
      let square = error * error
      sum += isWeighted ? counts.eight(place) * square : square
    }
    return sum
  }

  /// As `error`, with everything that a fit needs.
  @inline(__always)
  func sums(
    _ side: Span<Float>, _ counts: Span<Float>, isWeighted: Bool, from start: Int,
    _ scales: SubBlockScales, _ range: SubBlockRange
  ) -> SubBlockSums {
    isWeighted
      ? weightedSums(side, counts, start, scales, range)
      : plainSums(side, counts, start, scales, range)
  }

  @inline(never)
  private func weightedSums(
    _ side: Span<Float>, _ counts: Span<Float>, _ start: Int, _ scales: SubBlockScales,
    _ range: SubBlockRange
  ) -> SubBlockSums { products(side, counts, true, start, scales, range) }

  @inline(never)
  private func plainSums(
    _ side: Span<Float>, _ counts: Span<Float>, _ start: Int, _ scales: SubBlockScales,
    _ range: SubBlockRange
  ) -> SubBlockSums { products(side, counts, false, start, scales, range) }

  @inline(__always)
  private func products(
    _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, _ start: Int,
    _ scales: SubBlockScales, _ range: SubBlockRange
  ) -> SubBlockSums {
    let (inverse, limit) = (scales.inverse(range), limit)
    let (scale, minimum, zero) = (scales.scale, scales.minimum, Lanes(repeating: zero))
    var sums = SubBlockSums()
    for index in 0..<count {
      let place = start &+ 8 &* index
      let weight = side.eight(place)
      let rounded = ((weight + minimum) * inverse + zero).roundedCodes(limit: limit)
      let code = (rounded - Lanes.rounding) - zero
      let error = weight - (code * scale - minimum)
      let countedCode = isWeighted ? counts.eight(place) * code : code
      let countedError = isWeighted ? counts.eight(place) * error : error
      sums.error += countedError * error
      sums.codes += countedCode
      sums.squares += countedCode * code
      sums.rests += countedError
      sums.products += countedError * code
    }
    return sums
  }

  /// The nearest codes themselves, of sub-blocks that lie one after the other from `target` on.
  @inline(never)
  func encode(
    _ side: Span<Float>, from start: Int, _ scales: SubBlockScales, _ range: SubBlockRange,
    into codes: inout MutableSpan<UInt8>, at target: Int
  ) {
    let (inverse, limit) = (scales.inverse(range), limit)
    precondition(target >= 0 && target <= codes.count - 8 * count)
    for index in 0..<count {
      let weight = side.eight(start &+ 8 &* index)
      let patterns = ((weight + scales.minimum) * inverse + zero).roundedCodes(limit: limit)
        .bitPatterns
      for lane in 0..<8 {
        unsafe codes[unchecked: target &+ lane &* count &+ index] = UInt8(
          truncatingIfNeeded: patterns[lane])
      }
    }
  }
}

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
