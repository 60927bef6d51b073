import Formats

/// Rows of some matrices of another storage, which is output-major, in an order of their own.
struct OrderedRows: WeightStorage {
  let base: any WeightStorage
  /// Rows of the base that make up one of its matrices.
  let rowsPerMatrix: Int
  let matrices: Range<Int>
  let rows: RowOrder

  var shape: MatrixShape {
    MatrixShape(matrices: matrices.count, outputs: rows.count, inputs: base.shape.inputs)
  }
  var byteCount: Int { base.byteCount }
  var readsWholeRows: Bool { true }
  var isReadInOrder: Bool { false }
  var elementType: DType? { nil }

  private final class Scratch {
    let tile = WeightTile()
  }

  /// - Parameter range: whole rows of one matrix.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let inputs = shape.inputs
    let other = tile.scratch { Scratch() }.tile
    tile.weights.grow(to: range.count, filler: 0)
    var byteCount = 0
    var place = range.lowerBound / inputs
    let end = range.upperBound / inputs
    precondition(range.count.isMultiple(of: max(1, inputs)))
    while place < end {
      // Rows that lie side by side are read at once.
      let first = row(place)
      var count = 1
      while place + count < end, row(place + count) == first + count { count += 1 }
      try base.read(first * inputs..<(first + count) * inputs, into: other)
      byteCount += other.stored.prefix(other.storedCount).reduce(0) { $0 + $1.count }
      let start = place * inputs - range.lowerBound
      tile.weights.replaceSubrange(
        start..<start + count * inputs, with: other.weights[..<(count * inputs)])
      place += count
    }
    // No run of the tensor; but so much was read.
    tile.prepareStored([0..<byteCount])
  }

  /// The row of the base for a row of what is taken.
  private func row(_ taken: Int) -> Int {
    let (matrix, place) = taken.quotientAndRemainder(dividingBy: rows.count)
    return (matrices.lowerBound + matrix) * rowsPerMatrix + rows.row(at: place)
  }

  func storedIndex(of index: Int) -> Int {
    let (row, input) = index.quotientAndRemainder(dividingBy: shape.inputs)
    return base.storedIndex(of: self.row(row) * shape.inputs + input)
  }
}
