import Convert
import Formats
import Model

/// A linear layer with all its weights, of which a gradient may be wanted.
final class TapedLinear {
  let description: LinearDescription
  /// `[outputs, inputs]`.
  var weights: [Float]
  private let bias: [Float]
  /// Whether the gradient of the weights is computed.
  var isLearned = false
  /// `[outputs, inputs]`, of the last step back; empty before.
  private(set) var gradient: [Float] = []

  /// - Throws: what reading throws.
  init(_ description: LinearDescription, in model: ForwardModel) throws {
    self.description = description
    let (outputs, inputs) = (description.outputs, description.inputs)
    let first = (description.place?.index ?? 0) * outputs
    let source = try model.source(description.weight, order: description.order)
    weights = []
    weights.reserveCapacity(outputs * inputs)
    let tile = WeightTile()
    let step = max(1, (1 << 18) / max(1, inputs))
    for row in stride(from: 0, to: outputs, by: step) {
      let rows = row..<min(row + step, outputs)
      try source.read(
        (first + rows.lowerBound) * inputs..<(first + rows.upperBound) * inputs, into: tile)
      weights += tile.weights.prefix(rows.count * inputs)
    }
    bias = try description.bias.map { try model.numbers($0, first..<first + outputs) } ?? []
  }

  /// `W x + b` of all tokens.
  func apply(to input: Variable, _ products: PlainProducts, _ tape: Tape?) throws -> Variable {
    let (tokens, inputs, outputs) = (input.tokens, description.inputs, description.outputs)
    let output = Activations(tokens: tokens, features: outputs)
    try products.multiply(
      input.values.values, rows: tokens, k: inputs, by: weights, columns: outputs,
      columnStride: inputs, stride: 1, into: &output.values)
    if !bias.isEmpty { addRow(bias, to: &output.values) }
    let result = Variable(output)
    tape?.record { [self] in
      var back = [Float](repeating: 0, count: tokens * inputs)
      try products.multiply(
        result.gradient, rows: tokens, k: outputs, by: weights, columns: inputs, columnStride: 1,
        stride: inputs, into: &back)
      input.addGradient(back)
      guard isLearned else { return }
      if gradient.isEmpty { gradient = [Float](repeating: 0, count: outputs * inputs) }
      try products.multiply(
        transposed(result.gradient, rows: tokens, columns: outputs), rows: outputs, k: tokens,
        by: input.values.values, columns: inputs, columnStride: 1, stride: inputs, into: &gradient)
    }
    return result
  }
}

private func addRow(_ row: [Float], to values: inout [Float]) {
  for start in stride(from: 0, to: values.count, by: row.count) {
    for index in row.indices { values[start + index] += row[index] }
  }
}
