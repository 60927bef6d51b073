import Formats

/// The matrices of several storages of one shape, one after the other.
struct StackedStorage: WeightStorage {
  let pieces: [any WeightStorage]
  /// Tensors that the weights of one lie in.
  let partsPerPiece: Int
  let sourceNames: [String]
  let hasSourceInputs: Bool
  let byteCount: Int
  let isReadInOrder: Bool

  init(
    pieces: [any WeightStorage], partsPerPiece: Int, sourceNames: [String], hasSourceInputs: Bool
  ) {
    self.pieces = pieces
    self.partsPerPiece = partsPerPiece
    self.sourceNames = sourceNames
    self.hasSourceInputs = hasSourceInputs
    // Asked for with every tile.
    byteCount = pieces.reduce(0) { $0 + $1.byteCount }
    isReadInOrder = pieces.allSatisfy(\.isReadInOrder)
  }

  var shape: MatrixShape {
    let one = pieces[0].shape
    return MatrixShape(
      matrices: one.matrices * pieces.count, outputs: one.outputs, inputs: one.inputs)
  }
  /// Which never reach from one matrix into another.
  var readsWholeRows: Bool { true }
  var elementType: DType? { nil }

  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    try withPiece(range, in: tile) { try $0.read($1, into: tile) }
  }

  func readPatterns(_ range: Range<Int>, into tile: WeightTile) throws -> ScaleType? {
    try withPiece(range, in: tile) { try $0.readPatterns($1, into: tile) }
  }

  private func withPiece<Result>(
    _ range: Range<Int>, in tile: WeightTile,
    _ read: (any WeightStorage, Range<Int>) throws -> Result
  ) rethrows -> Result {
    let size = max(1, pieces[0].shape.count)
    let piece = min(range.lowerBound / size, pieces.count - 1)
    tile.storedCount = 0
    let result = try read(
      pieces[piece], range.lowerBound - piece * size..<range.upperBound - piece * size)
    for index in 0..<tile.storedCount { tile.stored[index].part += piece * partsPerPiece }
    return result
  }

  func storedIndex(of index: Int) -> Int {
    let (piece, inside) = index.quotientAndRemainder(dividingBy: pieces[0].shape.count)
    return pieces[piece].storedIndex(of: inside)
  }
}
