import Formats

/// Another storage, whose elements are scaled when they are read, each by its place in the stored tensor.
struct ScaledStorage: WeightStorage {
  let base: any WeightStorage
  let scales: ElementScales
  /// Of the stored tensor.
  private let stored: MatrixShape

  init(_ base: any WeightStorage, of tensor: Checkpoint.Tensor, by scales: ElementScales) {
    self.base = base
    self.scales = scales
    stored = MatrixShape(stored: tensor.info.dimensions, .outputMajor)
  }

  var shape: MatrixShape { base.shape }
  var byteCount: Int { base.byteCount }
  var readsWholeRows: Bool { base.readsWholeRows }
  var isReadInOrder: Bool { base.isReadInOrder }
  /// The weights are no longer what is stored.
  var elementType: DType? { nil }
  var sourceNames: [String] { base.sourceNames }
  var hasSourceInputs: Bool { base.hasSourceInputs }

  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    try base.read(range, into: tile)
    let inputs = shape.inputs
    var index = range.lowerBound
    while index < range.upperBound {
      let count = min(inputs - index % inputs, range.upperBound - index)
      // Weights of a row lie at equal distances.
      var element = base.storedIndex(of: index)
      let step = count > 1 ? base.storedIndex(of: index + 1) - element : 0
      for place in index - range.lowerBound..<index - range.lowerBound + count {
        let (row, column) = element.quotientAndRemainder(dividingBy: stored.inputs)
        tile.weights[place] = scales.scaled(
          tile.weights[place], row: row % stored.outputs, column: column)
        element += step
      }
      index += count
    }
  }

  func storedIndex(of index: Int) -> Int { base.storedIndex(of: index) }
}
