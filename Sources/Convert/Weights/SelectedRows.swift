import Formats

/// Some rows of some matrices of another storage, which is output-major.
struct SelectedRows: WeightStorage {
  let base: any WeightStorage
  /// Rows of the base that make up one of its matrices.
  let rowsPerMatrix: Int
  let matrices: Range<Int>
  /// Of each matrix.
  let rows: TensorOrigin.Steps

  var shape: MatrixShape {
    MatrixShape(matrices: matrices.count, outputs: rows.count, inputs: base.shape.inputs)
  }
  var byteCount: Int { base.byteCount }
  var readsWholeRows: Bool { true }
  var elementType: DType? { nil }

  private var takesAll: Bool {
    rows.count == rowsPerMatrix && matrices == 0..<base.shape.rows / rowsPerMatrix
  }

  var isReadInOrder: Bool { takesAll && base.isReadInOrder }

  /// - Parameter range: whole rows of one matrix.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let inputs = shape.inputs
    let taken = range.lowerBound / inputs..<range.upperBound / inputs
    precondition(range.count == taken.count * inputs)
    guard !taken.isEmpty else { return try base.read(0..<0, into: tile) }
    let first = row(taken.lowerBound)
    // Rows that are left out between those that are taken are read with them.
    let spanned = first..<row(taken.upperBound - 1) + 1
    try base.read(spanned.lowerBound * inputs..<spanned.upperBound * inputs, into: tile)
    guard rows.step > 1 else { return }
    for (place, row) in stride(from: 0, to: spanned.count, by: rows.step).enumerated() {
      for input in 0..<inputs {
        tile.weights[place * inputs + input] = tile.weights[row * inputs + input]
      }
    }
  }

  /// The row of the base for a row of what is taken.
  private func row(_ taken: Int) -> Int {
    let (matrix, output) = taken.quotientAndRemainder(dividingBy: rows.count)
    return (matrices.lowerBound + matrix) * rowsPerMatrix + rows.first + output * rows.step
  }

  func storedIndex(of index: Int) -> Int {
    let (row, input) = index.quotientAndRemainder(dividingBy: shape.inputs)
    return base.storedIndex(of: self.row(row) * shape.inputs + input)
  }
}
