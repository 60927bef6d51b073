/// Gives sixteen rows of weights their codes, column after column: each weight takes up what the errors of
/// the columns before it can be made up for by (GPTQ, arXiv 2210.17323; in the form of LDLQ, QuIP, arXiv
/// 2307.13304, which shows the two to be the same).
///
/// With H = U D Uᵀ, U unit upper triangular in the order of quantization, the weight in place j is rounded at
/// `w_j + Σ over k < j of U[k, j] (w_k - w'_k)`, and what that leaves there is `e_j`: the weighted error of a
/// row, `(w - w') H (w - w')ᵀ`, is `Σ D_j e_j²`.
///
/// - Parameters:
///   - weights: `[columns, 16]`, as are `codes` and `residuals`.
///   - order: the column in each place.
///   - feedback: U by four places: `[columns / 4]` panels, the panel of places from j on `[j + 4, 4]`.
///   - energies: D by places.
///   - scales, biases: `[columns / groupSize, 16]`, as they are stored.
///   - parameters: their type.
///   - history: room for `[columns, 16]`.
///   - codes: receives codes as numbers.
///   - residuals: receives w - w', with w' as MLX decodes it.
///   - errors: receives the weighted error of each row.
package func quantizeWithFeedback(
  weights: Span<Float>, order: Span<Int32>, feedback: Span<Float>, energies: Span<Float>,
  scales: Span<Float>, biases: Span<Float>, groupSize: Int, largestCode: Int, parameters: Int,
  history: inout MutableSpan<Float>, codes: inout MutableSpan<Float>,
  residuals: inout MutableSpan<Float>, errors: inout MutableSpan<Double>
) {
  let columns = order.count
  checkStrip(order, feedback, energies, errors.count)
  precondition(groupSize > 0 && columns % groupSize == 0 && largestCode > 0)
  precondition(min(weights.count, history.count) >= columns * stripRows)
  precondition(min(codes.count, residuals.count) >= columns * stripRows)
  precondition(min(scales.count, biases.count) >= columns / groupSize * stripRows)
  switch parameters {
  case 0: run(F16Parameters.self)
  case 1: run(BF16Parameters.self)
  case 2: run(F32Parameters.self)
  default: preconditionFailure("parameters have one of three types")
  }

  @inline(__always)
  func run<P: ParameterType>(_: P.Type) {
    let limit = Lanes(repeating: Float(largestCode))
    var total = StripErrors()
    var place = 0
    for first in stride(from: 0, to: columns, by: 4) {
      var sums = FourColumns(feedback, from: place, history.span, columns: 0..<first)
      place &+= 4 &* first
      finish(sums.sums0, first)
      sums.add(feedback, place, history.span, first)
      finish(sums.sums1, first &+ 1)
      sums.add(feedback, place &+ 4, history.span, first &+ 1)
      finish(sums.sums2, first &+ 2)
      sums.add(feedback, place &+ 8, history.span, first &+ 2)
      finish(sums.sums3, first &+ 3)
      place &+= 16
    }
    total.store(into: &errors)

    @inline(__always)
    func finish(_ sums: (Lanes, Lanes), _ position: Int) {
      let column = unsafe Int(order[unchecked: position])
      let energy = unsafe Double(energies[unchecked: position])
      let group = column / groupSize &* stripRows
      let low = half(sums.0, column &* stripRows, group, position &* stripRows)
      let high = half(sums.1, column &* stripRows &+ 8, group &+ 8, position &* stripRows &+ 8)
      total.add(low, high, energy)
    }

    @inline(__always)
    func half(_ sum: Lanes, _ place: Int, _ group: Int, _ past: Int) -> Lanes {
      let weight = weights.eight(place)
      let target = weight + sum
      let (code, decoded) = nearest(
        P.self, target, scale: scales.eight(group), bias: biases.eight(group), limit: limit)
      history.setEight(weight - decoded, past)
      residuals.setEight(weight - decoded, place)
      codes.setEight(code, place)
      return target - decoded
    }
  }
}

/// The weighted errors of sixteen rows that are quantized already.
///
/// - Parameters: as for `quantizeWithFeedback`.
package func weightedErrors(
  residuals: Span<Float>, order: Span<Int32>, feedback: Span<Float>, energies: Span<Float>,
  history: inout MutableSpan<Float>, errors: inout MutableSpan<Double>
) {
  let columns = order.count
  checkStrip(order, feedback, energies, errors.count)
  precondition(min(residuals.count, history.count) >= columns * stripRows)
  for position in 0..<columns {
    let place = unsafe Int(order[unchecked: position]) &* stripRows
    history.setEight(residuals.eight(place), position &* stripRows)
    history.setEight(residuals.eight(place &+ 8), position &* stripRows &+ 8)
  }
  var total = StripErrors()
  var place = 0
  for first in stride(from: 0, to: columns, by: 4) {
    // U has ones on its diagonal, which the panels do not hold.
    let sums = FourColumns(feedback, from: place, history.span, columns: 0..<first &+ 4)
    place &+= 4 &* (first &+ 4)
    add(sums.sums0, first)
    add(sums.sums1, first &+ 1)
    add(sums.sums2, first &+ 2)
    add(sums.sums3, first &+ 3)
  }
  total.store(into: &errors)

  @inline(__always)
  func add(_ sums: (Lanes, Lanes), _ position: Int) {
    let numbers = history.span
    let energy = unsafe Double(energies[unchecked: position])
    total.add(
      numbers.eight(position &* stripRows) + sums.0,
      numbers.eight(position &* stripRows &+ 8) + sums.1, energy)
  }
}

/// Traps where arrays are not those of one factorization.
private func checkStrip(
  _ order: Span<Int32>, _ feedback: Span<Float>, _ energies: Span<Float>, _ errors: Int
) {
  let columns = order.count
  precondition(columns % 4 == 0 && energies.count >= columns && errors >= stripRows)
  precondition(feedback.count >= (columns / 4) * (columns / 4 + 1) * 8)
  for position in 0..<columns {
    precondition(order[position] >= 0 && Int(order[position]) < columns)
  }
}

/// The codes whose lines come nearest, and what they decode to. A target that is no number gets the code 0.
@inline(__always)
func nearest<P: ParameterType>(
  _: P.Type, _ target: Lanes, scale: Lanes, bias: Lanes, limit: Lanes
) -> (codes: Lanes, decoded: Lanes) {
  var position = (target - bias) / scale
  position.replace(with: 0, where: .!(position .> 0) .| (scale .== 0))
  position.replace(with: limit, where: position .> limit)
  let codes = (position + Lanes.rounding) - Lanes.rounding
  return (codes, P.round(P.round(codes * scale) + bias))
}

/// Sums of squares of sixteen rows.
struct StripErrors {
  private var low = SIMD8<Double>.zero
  private var high = SIMD8<Double>.zero

  @inline(__always)
  mutating func add(_ first: Lanes, _ second: Lanes, _ energy: Double) {
    let (first, second) = (first.doubles, second.doubles)
    low += energy * (first * first)
    high += energy * (second * second)
  }

  @inline(__always)
  func store(into errors: inout MutableSpan<Double>) {
    for lane in 0..<8 {
      errors[lane] = low[lane]
      errors[lane &+ 8] = high[lane]
    }
  }
}
