import Model

/// Second moments of a linear layer's inputs, H = XᵀX / N with X of shape `[tokens, inputs]`: half the Hessian
/// of the squared error of the layer's outputs by a row of its weights (GPTQ, arXiv 2210.17323, section 3.1).
package struct GramMatrix: Sendable, Equatable {
  /// Input channels: rows and columns.
  package let order: Int
  /// N. Below `order`, the matrix has no inverse.
  package let tokenCount: Int
  /// The lower triangle by rows: row i, column j <= i at `i * (i + 1) / 2 + j`.
  package let values: [Float]

  /// - Parameter values: as many as the triangle has.
  package init(order: Int, tokenCount: Int, values: [Float]) {
    precondition(values.count == Self.valueCount(order: order))
    self.order = order
    self.tokenCount = tokenCount
    self.values = values
  }

  /// Numbers in the triangle; nil where they cannot be counted.
  package static func valueCount(order: Int) -> Int? {
    Checked.product(order, Checked.sum(order, 1)).map { $0 / 2 }
  }

  /// Of the inputs divided by these factors, one for each channel: `H_ij / (s_i s_j)`.
  func divided(by factors: [Float]) -> GramMatrix {
    precondition(factors.count == order)
    var values = values
    var index = 0
    for row in 0..<order {
      for column in 0...row {
        values[index] /= factors[row] * factors[column]
        index += 1
      }
    }
    return GramMatrix(order: order, tokenCount: tokenCount, values: values)
  }

  package subscript(row: Int, column: Int) -> Float {
    let (high, low) = (max(row, column), min(row, column))
    return values[high * (high + 1) / 2 + low]
  }
}
