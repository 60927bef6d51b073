extension NaiveGroup {
  /// The best group that trying finds: a grid over the lower and the upper end of the range, both
  /// directions, and a finer grid around the best point, again and again. Slow, and without any
  /// idea of what a good group looks like.
  ///
  /// - Parameters:
  ///   - importance: what a squared error in each weight counts; 1 where it is not given.
  ///   - largestMove: how far a weight may move, in steps of the stored scale.
  package static func bruteForce(
    _ weights: [Double], bits: Int, type: NaiveFloat, importance: [Double]? = nil,
    largestMove: Double
  ) -> NaiveGroup {
    let (low, high) = (weights.min()!, weights.max()!)
    var best = minMax(weights, bits: bits, type: type)
    var bestError = best.squaredError(weights, importance: importance)
    // Both ends as shares of the range, measured from the lower end.
    var center = (first: 0.0, last: 1.0)
    var reach = 0.45
    for _ in 0..<3 {
      let (middle, steps) = (center, 7)
      for i in -steps...steps {
        for j in -steps...steps {
          let first = middle.first + reach * Double(i) / Double(steps)
          let last = middle.last + reach * Double(j) / Double(steps)
          let step = (last - first) * (high - low) / Double(1 << bits - 1)
          guard step > 0 else { continue }
          let (bottom, top) = (low + first * (high - low), low + last * (high - low))
          for (scale, bias) in [(step, bottom), (-step, top)] {
            let group = nearest(weights, bits: bits, type: type, scale: scale, bias: bias)
            let error = group.squaredError(weights, importance: importance)
            guard error < bestError,
              group.largestError(weights) <= largestMove * group.scale.magnitude
            else { continue }
            (best, bestError, center) = (group, error, (first, last))
          }
        }
      }
      reach /= 6
    }
    return best
  }
}
