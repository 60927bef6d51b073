/// Which way a matrix lies in a file.
package enum MatrixOrder: Sendable, Hashable, CaseIterable {
  /// `[out, in]`, or `[matrices, out, in]`: a row holds the weights of one output.
  case outputMajor
  /// `[in, out]`, or `[matrices, in, out]`.
  case inputMajor

  /// A stored shape with its last two dimensions put as output-major, or such a shape put back.
  package func outputMajor<Dimension>(_ shape: [Dimension]) -> [Dimension] {
    guard self == .inputMajor, shape.count >= 2 else { return shape }
    var turned = shape
    turned.swapAt(shape.count - 1, shape.count - 2)
    return turned
  }
}

/// A weight as matrices `[outputs, inputs]`, one or a stack of them. A vector is one row.
package struct MatrixShape: Sendable, Hashable {
  package let matrices: Int
  package let outputs: Int
  package let inputs: Int

  package init(matrices: Int, outputs: Int, inputs: Int) {
    self.matrices = matrices
    self.outputs = outputs
    self.inputs = inputs
  }

  /// - Parameter stored: the dimensions as they are stored, of which the product fits unless one of
  ///   them is 0.
  package init(stored: [Int], _ order: MatrixOrder) {
    let shape = order.outputMajor(stored)
    inputs = shape.last ?? 1
    outputs = shape.count >= 2 ? shape[shape.count - 2] : 1
    // Without weights the other dimensions may be anything.
    matrices = shape.contains(0) ? 0 : shape.dropLast(2).reduce(1, *)
  }

  /// Outputs of all matrices.
  package var rows: Int { matrices == 0 ? 0 : matrices * outputs }
  package var count: Int { rows * inputs }

  /// Where weight `index` of the output-major order stands in the input-major one.
  package func inputMajorIndex(of index: Int) -> Int {
    let (row, input) = index.quotientAndRemainder(dividingBy: inputs)
    let (matrix, output) = row.quotientAndRemainder(dividingBy: outputs)
    return (matrix * inputs + input) * outputs + output
  }
}
