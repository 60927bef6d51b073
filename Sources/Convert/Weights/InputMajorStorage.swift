import Formats

/// A tensor stored input-major, whose weights are read output by output.
struct InputMajorStorage: WeightStorage {
  let checkpoint: Checkpoint
  let tensor: Checkpoint.Tensor
  let scale: WeightScale?
  /// The tensor as matrices.
  private let stored: TensorOrigin.StoredMatrices

  /// Inputs beyond which a row would not fit a tile's buffers.
  static let widestInput = 1 << 21

  /// - Parameter stored: the tensor as matrices, input-major, of which all outputs are read.
  init(
    checkpoint: Checkpoint, tensor: Checkpoint.Tensor, scale: WeightScale?,
    stored: TensorOrigin.StoredMatrices
  ) {
    precondition(stored.order == .inputMajor && stored.outputs.count == stored.columns)
    self.checkpoint = checkpoint
    self.tensor = tensor
    self.scale = scale
    self.stored = stored
  }

  /// All of a tensor, whose last two dimensions are inputs and outputs; nil for one without elements.
  init?(checkpoint: Checkpoint, tensor: Checkpoint.Tensor, scale: WeightScale?) {
    let whole = TensorOrigin(
      TensorNameList(tensor.name), shape: tensor.info.shape, order: .inputMajor)
    guard let stored = whole.stored else { return nil }
    self.init(checkpoint: checkpoint, tensor: tensor, scale: scale, stored: stored)
  }

  var shape: MatrixShape { stored.taken }
  var byteCount: Int { tensor.info.byteCount }
  var readsWholeRows: Bool { true }
  var isReadInOrder: Bool { false }
  var elementType: DType? { scale == nil ? tensor.info.dtype : nil }

  /// The bytes are left in `stored` input by input, and are no run of the tensor.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let shape = shape
    let (inputs, outputs) = (shape.inputs, shape.outputs)
    let rows = range.lowerBound / inputs..<range.upperBound / inputs
    let (matrix, first) = rows.lowerBound.quotientAndRemainder(dividingBy: outputs)
    precondition(range.count == rows.count * inputs && first + rows.count <= outputs)
    let size = tensor.info.dtype.bitCount / 8
    func element(_ input: Int) -> Int { stored.index(matrix: matrix, output: first, input: input) }
    tile.prepareStored([0..<range.count * size])
    for input in 0..<inputs {
      let start = element(input) * size
      try checkpoint.read(
        start..<start + rows.count * size, of: tensor, into: &tile.stored[0].bytes,
        at: input * rows.count * size)
    }
    tile.turned.grow(to: range.count, filler: 0)
    tile.weights.grow(to: range.count, filler: 0)
    try tensor.decode(tile.stored[0].bytes, count: range.count, into: &tile.turned, of: checkpoint)
    if let scale {
      for input in 0..<inputs {
        scale.apply(
          to: &tile.turned, at: input * rows.count, count: rows.count, start: element(input))
      }
    }
    for row in 0..<rows.count {
      for input in 0..<inputs {
        tile.weights[row * inputs + input] = tile.turned[input * rows.count + row]
      }
    }
  }

  func storedIndex(of index: Int) -> Int {
    let (row, input) = index.quotientAndRemainder(dividingBy: shape.inputs)
    let (matrix, output) = row.quotientAndRemainder(dividingBy: shape.outputs)
    return stored.index(matrix: matrix, output: output, input: input)
  }
}
