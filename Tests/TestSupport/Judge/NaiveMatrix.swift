/// Matrices as one array of rows after the other, and what may be done to them before packing.
package struct NaiveMatrix {
  /// `[..., rows, columns]`.
  package var shape: [Int]
  package var values: [Double]

  package init(_ shape: [Int], _ values: [Double]) {
    precondition(values.count == shape.reduce(1, *))
    self.shape = shape
    self.values = values
  }

  package var columns: Int { shape[shape.count - 1] }
  package var rows: Int { shape[shape.count - 2] }

  /// The last two dimensions swapped.
  package var transposed: NaiveMatrix {
    var result = self
    result.shape.swapAt(shape.count - 1, shape.count - 2)
    for matrix in 0..<values.count / (rows * columns) {
      let start = matrix * rows * columns
      for row in 0..<rows {
        for column in 0..<columns {
          result.values[start + column * rows + row] = values[start + row * columns + column]
        }
      }
    }
    return result
  }

  /// Every element times the scale of its block, as 32-bit floats multiply. The scales of a matrix
  /// are row-major themselves; a block at the edge may be cut off.
  package func scaled(by scales: [Double], blockRows: Int, blockColumns: Int) -> NaiveMatrix {
    let blocksPerRow = (columns + blockColumns - 1) / blockColumns
    var result = self
    for index in values.indices {
      let (row, column) = (index / columns, index % columns)
      let scale = scales[row / blockRows * blocksPerRow + column / blockColumns]
      result.values[index] = NaiveFloat.f32.round(values[index] * scale)
    }
    return result
  }

  /// As 32-bit floats, which all arithmetic of packing works on.
  package var narrowed: NaiveMatrix { NaiveMatrix(shape, values.map(NaiveFloat.f32.round)) }
}
