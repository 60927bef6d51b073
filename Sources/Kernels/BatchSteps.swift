// What is done to eight groups side by side: number l of lanes i belongs to weight i of group l.

typealias BatchStore = InlineArray<1024, Float>

/// Puts a group beside others.
@inline(never)
func loadLane<E: WeightElement>(
  _: E.Type, _ bytes: RawSpan, at start: Int, count: Int, lane: Int,
  into side: inout MutableSpan<Float>
) {
  for index in 0..<count {
    unsafe side[unchecked: 8 &* index &+ lane] = E.load(bytes, (start &+ index) &* E.byteCount)
  }
}

@inline(never)
func spreadLane(
  _ numbers: Span<Float>, at start: Int, count: Int, lane: Int,
  into side: inout MutableSpan<Float>
) {
  precondition(start <= numbers.count - count)
  for index in 0..<count {
    unsafe side[unchecked: 8 &* index &+ lane] = numbers[unchecked: start &+ index]
  }
}

/// Puts weights into units of the range, around their mean.
///
/// - Returns: the mean in these units, counted from the lower end, what all count, and the sum of the
///   squares.
@inline(never)
func normalize(
  _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, low: Lanes, unit: Lanes,
  count: Int, into values: inout MutableSpan<Float>
) -> (mean: Lanes, total: Lanes, spread: Lanes) {
  let inverse = 1 / unit
  var (sum, total) = (Lanes.zero, Lanes(repeating: Float(count)))
  if isWeighted {
    total = .zero
    for index in 0..<count {
      let counted = counts.eight(8 &* index)
      total += counted
      sum += counted * (side.eight(8 &* index) - low)
    }
  } else {
    for index in 0..<count { sum += side.eight(8 &* index) - low }
  }
  let mean = sum / total
  var spread = Lanes.zero
  for index in 0..<count {
    let value = ((side.eight(8 &* index) - low) - mean) * inverse
    values.setEight(value, 8 &* index)
    let square = value * value
    spread += isWeighted ? counts.eight(8 &* index) * square : square
  }
  return (mean * inverse, total, spread)
}

/// As `LineSearch.best`.
@inline(never)
func lines(
  _ search: LineSearch, _ values: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool,
  _ widest: Float
) -> LineSearch.Lines {
  isWeighted
    ? search.best(values, counts, isWeighted: true, widest: widest)
    : search.best(values, counts, isWeighted: false, widest: widest)
}

/// The squared error of the nearest codes for one choice when they are decoded with another, in `Float`.
@inline(never)
func loss<P: ParameterType>(
  _: P.Type, _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, _ count: Int,
  _ steps: Float, codes: Choice, _ stored: Choice
) -> Lanes {
  isWeighted
    ? sums(P.self, side, counts, true, count, steps, codes, stored, findsLargest: false).squared
    : sums(P.self, side, counts, false, count, steps, codes, stored, findsLargest: false).squared
}

/// That of a choice whose codes are chosen for it as it is stored; infinite where it moves a weight further
/// than `moveLimit` steps.
@inline(never)
func nearLoss<P: ParameterType>(
  _: P.Type, _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, _ count: Int,
  _ steps: Float, _ stored: Choice, moveLimit: Float
) -> Lanes {
  let (squared, largest) =
    isWeighted
    ? sums(P.self, side, counts, true, count, steps, stored, stored, findsLargest: true)
    : sums(P.self, side, counts, false, count, steps, stored, stored, findsLargest: true)
  let isNear = largest .<= 0.9999 * moveLimit * stored.scale.magnitudes
  return squared.replacing(with: .infinity, where: .!isNear)
}

@inline(__always)
private func sums<P: ParameterType>(
  _: P.Type, _ side: Span<Float>, _ counts: Span<Float>, _ isWeighted: Bool, _ count: Int,
  _ steps: Float, _ codes: Choice, _ stored: Choice, findsLargest: Bool
) -> (squared: Lanes, largest: Lanes) {
  let limit = CodeLimit(steps)
  var (squared, largest) = (Lanes.zero, Lanes.zero)
  for index in 0..<count {
    let weight = side.eight(8 &* index)
    // The codes that `encode` chooses, by the same division: near a tie one code may lose much more.
    let code = ((weight - codes.bias) / codes.scale).roundedCodes(limit: limit) - Lanes.rounding
    let error = weight - P.round(P.round(code * stored.scale) + stored.bias)
    let square = error * error
    squared += isWeighted ? counts.eight(8 &* index) * square : square
    if findsLargest {
      let size = error.magnitudes
      largest.replace(with: size, where: size .> largest)
    }
  }
  return (squared, largest)
}
