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
