import Model

extension Norm {
  /// What the loss grows by with each number that is normalized.
  ///
  /// - Parameters:
  ///   - input: before the norm.
  ///   - gradient: of what the norm makes of it.
  func gradient(of input: Activations, _ gradient: [Float]) -> [Float] {
    let (values, factors) = (input.values, factors)
    let size = description.groupSize
    let count = Double(size)
    var result = [Float](repeating: 0, count: values.count)
    for start in stride(from: 0, to: values.count, by: size) {
      let feature = start % description.features
      var mean = 0.0
      if description.kind == .layer {
        for index in start..<start + size { mean += Double(values[index]) }
        mean /= count
      }
      var squares = 0.0
      // Sums over the group of the gradient before the factors, and of its products with the deviations.
      var (sum, products) = (0.0, 0.0)
      func outer(_ index: Int) -> Double {
        let factor = factors.isEmpty ? 1 : Double(factors[feature + index - start])
        return Double(gradient[index]) * factor
      }
      for index in start..<start + size {
        let deviation = Double(values[index]) - mean
        squares += deviation * deviation
        sum += outer(index)
        products += outer(index) * deviation
      }
      let scale = 1 / (squares / count + Double(description.epsilon)).squareRoot()
      let along = products * scale * scale / count
      let shift = description.kind == .layer ? sum / count : 0
      for index in start..<start + size {
        let deviation = Double(values[index]) - mean
        result[index] = Float(scale * (outer(index) - shift - deviation * along))
      }
    }
    return result
  }
}
