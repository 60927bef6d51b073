/// Lowers the weighted error `r H rᵀ` of sixteen quantized rows, r = w - w', by changing one thing after the
/// other to what is best while all else stays: of each group first scale and bias together (least squares with
/// two unknowns), then code after code (as QuantEase, arXiv 2309.01885, does with codes). What makes the error
/// no smaller once it is rounded is not done.
///
/// - Parameters:
///   - weights: `[columns, 16]`, as are `codes` and `residuals`.
///   - gram: H by four columns: `[columns / 4, columns, 4]`; its diagonal is positive.
///   - parameters: the type of scales and biases.
///   - codes: as numbers.
///   - scales, biases: `[columns / groupSize, 16]`, as they are stored.
///   - residuals: r; kept up to date.
///   - room: for `[3 * groupSize, 16]`.
///   - errors: the weighted error of each row; what it falls by is taken off.
package func descend(
  weights: Span<Float>, gram: Span<Float>, columns: Int, groupSize: Int, largestCode: Int,
  parameters: Int, codes: inout MutableSpan<Float>, scales: inout MutableSpan<Float>,
  biases: inout MutableSpan<Float>, residuals: inout MutableSpan<Float>,
  room: inout MutableSpan<Float>, errors: inout MutableSpan<Double>
) {
  precondition(groupSize > 0 && groupSize % 4 == 0 && columns % groupSize == 0 && largestCode > 0)
  precondition(gram.count / max(1, columns) >= columns && errors.count >= stripRows)
  precondition(min(weights.count, codes.count, residuals.count) >= columns * stripRows)
  precondition(min(scales.count, biases.count) >= columns / groupSize * stripRows)
  precondition(room.count >= 3 * groupSize * stripRows)
  typealias Sums = SIMD8<Double>
  // Of the group in turn: H r, which is kept up to date, then H c, c its codes; or a step in r, and H times it.
  let second = groupSize * stripRows
  let third = 2 * second
  switch parameters {
  case 0: run(F16Parameters.self)
  case 1: run(BF16Parameters.self)
  case 2: run(F32Parameters.self)
  default: preconditionFailure("parameters have one of three types")
  }

  @inline(__always)
  func run<P: ParameterType>(_: P.Type) {
    for group in 0..<columns / groupSize {
      let ones = project(group &* groupSize)
      for half in stride(from: 0, to: stripRows, by: 8) {
        refit(P.self, group, half, ones: ones)
        chooseCodes(P.self, group, half)
      }
    }
  }

  /// Leaves H r and H c in their places.
  ///
  /// - Returns: the sum of H within the group.
  @inline(__always)
  func project(_ start: Int) -> Double {
    var ones = SIMD4<Double>.zero
    for column in stride(from: start, to: start &+ groupSize, by: 4) {
      let panel = column &* columns
      let place = (column &- start) &* stripRows
      FourColumns(gram, from: panel, residuals.span, columns: 0..<columns).store(place, of: &room)
      FourColumns(
        gram, from: panel &+ 4 &* start, codes.span, columns: start..<start &+ groupSize
      ).store(second &+ place, of: &room)
      for other in start..<start &+ groupSize {
        ones += SIMD4<Double>(gram.four(panel &+ 4 &* other))
      }
    }
    return (ones[0] + ones[1]) + (ones[2] + ones[3])
  }

  @inline(__always)
  func refit<P: ParameterType>(_: P.Type, _ group: Int, _ half: Int, ones: Double) {
    let start = group &* groupSize
    let parameter = group &* stripRows &+ half
    let (scale, bias) = (scales.span.eight(parameter), biases.span.eight(parameter))
    // Of the normal equations of a change of scale and bias.
    var (squares, mixed) = (Sums.zero, Sums.zero)
    var (codeSlope, slope) = (Sums.zero, Sums.zero)
    for index in 0..<groupSize {
      let place = index &* stripRows &+ half
      let code = codes.span.eight(start &* stripRows &+ place).doubles
      let product = room.span.eight(place).doubles
      let codeProduct = room.span.eight(second &+ place).doubles
      squares += code * codeProduct
      mixed += codeProduct
      codeSlope += code * product
      slope += product
    }
    let determinant = squares * ones - mixed * mixed
    var change = (codeSlope * ones - slope * mixed) / determinant
    // Codes that are (nearly) all alike have no scale.
    change.replace(with: 0, where: .!(determinant .> 1e-4 * squares * ones))
    let newScale = P.roundParameters(Lanes(rounding: scale.doubles + change))
    // The best bias for the scale as it is stored.
    let moved = newScale.doubles - scale.doubles
    let newBias = P.roundParameters(Lanes(rounding: bias.doubles + (slope - moved * mixed) / ones))

    for index in 0..<groupSize {
      let place = index &* stripRows &+ half
      let code = codes.span.eight(start &* stripRows &+ place)
      let step =
        P.round(P.round(code * scale) + bias) - P.round(P.round(code * newScale) + newBias)
      room.setEight(step, second &+ place)
    }
    var rise = Sums.zero
    for index in 0..<groupSize {
      let place = index &* stripRows &+ half
      var product = Lanes.zero
      for other in 0..<groupSize {
        product +=
          element(start &+ index, start &+ other)
          * room.span.eight(second &+ other &* stripRows &+ half)
      }
      room.setEight(product, third &+ place)
      let step = room.span.eight(second &+ place).doubles
      rise += step * (2 * room.span.eight(place).doubles + product.doubles)
    }
    var isKept = P.isPlain(newScale, newBias, steps: Float(largestCode))
    for lane in 0..<8 where isKept[lane] {
      isKept[lane] = rise[lane] < 0
      if isKept[lane] { errors[half &+ lane] += rise[lane] }
    }
    scales.setEight(scale.replacing(with: newScale, where: isKept), parameter)
    biases.setEight(bias.replacing(with: newBias, where: isKept), parameter)
    for index in 0..<groupSize {
      let place = index &* stripRows &+ half
      let product = room.span.eight(place)
      room.setEight(
        product.replacing(with: product + room.span.eight(third &+ place), where: isKept), place)
      let column = start &* stripRows &+ place
      let decoded = P.round(P.round(codes.span.eight(column) * newScale) + newBias)
      residuals.setEight(
        residuals.span.eight(column)
          .replacing(with: weights.eight(column) - decoded, where: isKept), column)
    }
  }

  @inline(__always)
  func chooseCodes<P: ParameterType>(_: P.Type, _ group: Int, _ half: Int) {
    let start = group &* groupSize
    let parameter = group &* stripRows &+ half
    let (scale, bias) = (scales.span.eight(parameter), biases.span.eight(parameter))
    let limit = Lanes(repeating: Float(largestCode))
    var total = Sums.zero
    for index in 0..<groupSize {
      let slope = room.span.eight(index &* stripRows &+ half)
      let energy = element(start &+ index, start &+ index)
      let place = (start &+ index) &* stripRows &+ half
      let (weight, residual) = (weights.eight(place), residuals.span.eight(place))
      let (code, decoded) = nearest(
        P.self, (weight - residual) + slope / energy, scale: scale, bias: bias, limit: limit)
      var step = (weight - decoded) - residual
      let rise = step * (2 * slope + energy * step)
      let isKept = rise .< 0
      step.replace(with: 0, where: .!isKept)
      total += rise.replacing(with: 0, where: .!isKept).doubles
      codes.setEight(codes.span.eight(place).replacing(with: code, where: isKept), place)
      residuals.setEight(residual.replacing(with: weight - decoded, where: isKept), place)
      for other in index &+ 1..<groupSize {
        let product = other &* stripRows &+ half
        room.setEight(
          room.span.eight(product) + element(start &+ index, start &+ other) * step, product)
      }
    }
    for lane in 0..<8 { errors[half &+ lane] += total[lane] }
  }

  /// Of H.
  @inline(__always)
  func element(_ row: Int, _ column: Int) -> Float {
    unsafe gram[unchecked: (row & ~3) &* columns &+ 4 &* column &+ (row & 3)]
  }
}
