/// The least errors that blocks of one scale can have, found by trying.
package enum NaiveBlock {
  /// Sum of squared errors, each times what it counts, of the nearest codes.
  package static func error(
    _ weights: [Double], _ importance: [Double], codes: ClosedRange<Int>, scale: Double,
    bias: Double
  ) -> Double {
    var sum = 0.0
    for index in weights.indices {
      var least = weights[index] - bias
      if scale != 0 {
        let nearest = ((weights[index] - bias) / scale).rounded()
        let code = min(max(nearest, Double(codes.lowerBound)), Double(codes.upperBound))
        least -= code * scale
      }
      sum += importance[index] * least * least
    }
    return sum
  }

  /// Of all F16 scales of either sign that put the largest weight between a quarter of the codes and twice
  /// what they reach.
  package static func leastError(
    _ weights: [Double], _ importance: [Double], codes: ClosedRange<Int>
  ) -> Double {
    let largest = weights.map(\.magnitude).max() ?? 0
    let reach = Double(-codes.lowerBound)
    let f16 = NaiveFloat.f16
    let first = f16.code(f16.round(largest / (2 * reach)))
    let last = f16.code(f16.round(largest / (0.25 * reach)))
    var least = error(weights, importance, codes: codes, scale: 0, bias: 0)
    for pattern in first...last {
      let scale = f16.value(pattern)
      for signed in [scale, -scale] {
        least = min(least, error(weights, importance, codes: codes, scale: signed, bias: 0))
      }
    }
    return least
  }

  /// Of scales and biases that lay the codes over `steps²` ranges, F16 numbers: up to a third of the weights'
  /// range is left out at each end, or is added.
  package static func leastAffineError(
    _ weights: [Double], _ importance: [Double], largestCode: Int, steps: Int
  ) -> Double {
    let (low, high) = (weights.min() ?? 0, weights.max() ?? 0)
    let width = high - low
    var least = Double.infinity
    for below in 0...steps {
      let start = low + width * (Double(below) / Double(steps) - 0.5) * 0.67
      for above in 0...steps {
        let end = high - width * (Double(above) / Double(steps) - 0.5) * 0.67
        let scale = NaiveFloat.f16.round((end - start) / Double(largestCode))
        let bias = NaiveFloat.f16.round(start)
        least = min(
          least,
          error(weights, importance, codes: 0...largestCode, scale: scale, bias: bias))
      }
    }
    return least
  }
}
