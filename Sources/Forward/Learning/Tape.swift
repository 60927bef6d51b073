/// Numbers in the middle of a layer, `[tokens, features]`, and what the loss grows by with each of them.
final class Variable {
  let values: Activations
  private(set) var gradient: [Float]

  init(_ values: Activations) {
    self.values = values
    gradient = [Float](repeating: 0, count: values.values.count)
  }

  var tokens: Int { values.tokens }
  var features: Int { values.features }

  func addGradient(_ other: [Float], times factor: Float = 1) {
    addScaled(other, times: factor, to: &gradient)
  }

  /// Adds what is of consecutive columns.
  func addGradient(
    _ other: [Float], columns count: Int, from source: Int, of width: Int, to first: Int
  ) {
    addColumns(
      other, features: width, from: source, count: count, to: first, of: features, into: &gradient)
  }
}

private func addColumns(
  _ source: [Float], features: Int, from first: Int, count: Int, to target: Int, of width: Int,
  into output: inout [Float]
) {
  guard features > 0 else { return }
  for token in 0..<source.count / features {
    let (from, to) = (token * features + first, token * width + target)
    for index in 0..<count { output[to + index] += source[from + index] }
  }
}

/// The steps of a computation in their order: each hands the gradient of what it gave to what it read.
final class Tape {
  private var steps: [() throws -> Void] = []

  func record(_ step: @escaping () throws -> Void) { steps.append(step) }

  /// From the last step to the first.
  func goBack() throws {
    while let step = steps.popLast() { try step() }
  }
}
