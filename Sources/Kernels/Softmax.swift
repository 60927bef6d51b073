/// Replaces numbers by their multiples.
///
/// - Returns: the largest of these; `-infinity` of none.
package func multiply(
  _ values: inout MutableSpan<Float>, _ range: Range<Int>, by factor: Float
) -> Float {
  guard let first = range.first else { return -.infinity }
  var most = Lanes(repeating: -.infinity)
  values.replaceEights(range, filler: values[first]) { lanes in
    let products = lanes * factor
    most.replace(with: products, where: products .> most)
    return products
  }
  return most.largest
}

/// Replaces numbers by `e^(x - largest)`.
///
/// - Returns: the sum of these, in double precision: every eighth is added to one of eight sums.
package func exponentiate(
  _ values: inout MutableSpan<Float>, _ range: Range<Int>, largest: Float
) -> Double {
  var sums = SIMD8<Double>.zero
  values.replaceEights(range, filler: -.infinity) { lanes in
    let powers = (lanes - largest).exponentials
    for lane in 0..<8 { sums[lane] += Double(powers[lane]) }
    return powers
  }
  return (sums[0] + sums[1] + (sums[2] + sums[3])) + (sums[4] + sums[5] + (sums[6] + sums[7]))
}

/// Replaces numbers by `x / (1 + e^-(slope (x + cubic x³)))`: SiLU and its likes.
package func logisticUnits(_ values: inout MutableSpan<Float>, slope: Float, cubic: Float) {
  let all = 0..<values.count
  if cubic == 0 {
    values.replaceEights(all, filler: 0) { $0 / (1 + ($0 * -slope).exponentials) }
  } else {
    values.replaceEights(all, filler: 0) { x in
      x / (1 + ((x + cubic * (x * x * x)) * -slope).exponentials)
    }
  }
}
