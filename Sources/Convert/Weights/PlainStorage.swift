import Formats

/// A tensor whose elements are its weights, in the order in which they lie.
struct PlainStorage: WeightStorage {
  let checkpoint: Checkpoint
  let tensor: Checkpoint.Tensor
  let scale: WeightScale?
  let shape: MatrixShape

  /// - Parameter shape: as the weights are seen; nil for the tensor's own.
  init(
    checkpoint: Checkpoint, tensor: Checkpoint.Tensor, scale: WeightScale?,
    shape: MatrixShape? = nil
  ) {
    self.checkpoint = checkpoint
    self.tensor = tensor
    self.scale = scale
    self.shape = shape ?? MatrixShape(stored: tensor.info.dimensions, .outputMajor)
  }

  var byteCount: Int { tensor.info.byteCount }
  var readsWholeRows: Bool { false }
  var isReadInOrder: Bool { true }
  var elementType: DType? { scale == nil ? tensor.info.dtype : nil }

  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    try readBytes(range, into: tile)
    tile.weights.grow(to: range.count, filler: 0)
    try tensor.decode(
      tile.stored[0].bytes, count: range.count, into: &tile.weights, of: checkpoint)
    scale?.apply(to: &tile.weights, count: range.count, start: range.lowerBound)
  }

  func readPatterns(_ range: Range<Int>, into tile: WeightTile) throws -> ScaleType? {
    guard let type = elementType.flatMap(ScaleType.init), type != .f32 else { return nil }
    try readBytes(range, into: tile)
    return type
  }

  private func readBytes(_ range: Range<Int>, into tile: WeightTile) throws {
    let size = tensor.info.dtype.bitCount / 8
    let bytes = range.lowerBound * size..<range.upperBound * size
    tile.prepareStored([bytes])
    try checkpoint.read(bytes, of: tensor, into: &tile.stored[0].bytes)
  }

  func storedIndex(of index: Int) -> Int { index }
}
