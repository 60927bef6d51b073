import Model

/// A norm with its numbers.
struct Norm {
  let description: NormDescription
  /// For each feature; empty for ones.
  let factors: [Float]
  /// For each feature; empty for zeros.
  private let summands: [Float]

  init(_ description: NormDescription, in model: ForwardModel) throws {
    self.description = description
    let above: Float = description.kind == .rmsAboveOne ? 1 : 0
    factors = try Self.numbers(description.weights, description, in: model).map { $0 + above }
    summands = try Self.numbers(description.biases, description, in: model)
  }

  /// The numbers of consecutive tensors, repeated until there is one for each feature.
  private static func numbers(
    _ names: [String], _ description: NormDescription, in model: ForwardModel
  ) throws -> [Float] {
    let numbers = try names.flatMap { try model.numbers($0) }
    guard !numbers.isEmpty else { return [] }
    return (0..<description.features).map { numbers[$0 % numbers.count] }
  }

  func apply(to activations: Activations, threads: Int) {
    precondition(activations.features == description.features)
    activations.inRowBlocks(threads: threads) { rows, _ in
      Self.normalize(
        &rows, features: description.features, groupSize: description.groupSize,
        epsilon: description.epsilon, centers: description.kind == .layer, factors, summands)
    }
  }

  private static func normalize(
    _ values: inout MutableSpan<Float>, features: Int, groupSize: Int, epsilon: Float,
    centers: Bool,
    _ factors: [Float], _ summands: [Float]
  ) {
    for start in stride(from: 0, to: values.count, by: groupSize) {
      let group = start..<start + groupSize
      var mean = 0.0
      if centers {
        for index in group { mean += Double(values[index]) }
        mean /= Double(groupSize)
      }
      var squares = 0.0
      for index in group {
        let deviation = Double(values[index]) - mean
        squares += deviation * deviation
      }
      let factor = 1 / (squares / Double(groupSize) + Double(epsilon)).squareRoot()
      let feature = start % features
      for index in group {
        var value = Float((Double(values[index]) - mean) * factor)
        let place = feature + index - start
        if !factors.isEmpty { value *= factors[place] }
        if !summands.isEmpty { value += summands[place] }
        values[index] = value
      }
    }
  }
}
