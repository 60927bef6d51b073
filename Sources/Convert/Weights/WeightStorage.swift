import Formats

/// How a tensor's weights lie in its file, and how they are read from there.
protocol WeightStorage: Sendable {
  /// Of the weights in the order in which they are read.
  var shape: MatrixShape { get }
  /// Of everything stored for the tensor.
  var byteCount: Int { get }
  /// Whether ranges must be whole rows of one matrix.
  var readsWholeRows: Bool { get }
  /// Whether what `read` leaves in `stored` are runs of the stored tensors.
  var isReadInOrder: Bool { get }
  /// Type of the elements whose bytes `read` leaves in `stored`, where they are the weights
  /// themselves and nothing else goes into those; else nil.
  var elementType: DType? { get }

  /// Reads weights `range`, decoded, into `tile.weights`, and leaves their bytes in `tile.stored`.
  ///
  /// - Throws: `FileError`, `ConversionError.undecodable`.
  func read(_ range: Range<Int>, into tile: WeightTile) throws
  /// Where weight `index` stands in the tensor as its source stores it.
  func storedIndex(of index: Int) -> Int
}

/// A tensor whose elements are its weights, in the order in which they lie.
struct PlainStorage: WeightStorage {
  let checkpoint: Checkpoint
  let tensor: Checkpoint.Tensor
  let scale: WeightScale?

  var shape: MatrixShape { MatrixShape(stored: tensor.info.dimensions, .outputMajor) }
  var byteCount: Int { tensor.info.byteCount }
  var readsWholeRows: Bool { false }
  var isReadInOrder: Bool { true }
  var elementType: DType? { scale == nil ? tensor.info.dtype : nil }

  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let size = tensor.info.dtype.bitCount / 8
    tile.prepareStored([range.count * size])
    try checkpoint.read(
      range.lowerBound * size..<range.upperBound * size, of: tensor, into: &tile.stored[0].bytes)
    tile.weights.grow(to: range.count, filler: 0)
    try tensor.decode(
      tile.stored[0].bytes, count: range.count, into: &tile.weights, of: checkpoint)
    scale?.apply(to: &tile.weights, count: range.count, start: range.lowerBound)
  }

  func storedIndex(of index: Int) -> Int { index }
}

/// A tensor stored input-major, whose weights are read output by output.
struct InputMajorStorage: WeightStorage {
  let checkpoint: Checkpoint
  let tensor: Checkpoint.Tensor
  let scale: WeightScale?

  /// Inputs beyond which a row would not fit a tile's buffers.
  static let widestInput = 1 << 21

  var shape: MatrixShape { MatrixShape(stored: tensor.info.dimensions, .inputMajor) }
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
    func element(_ input: Int) -> Int { (matrix * inputs + input) * outputs + first }
    tile.prepareStored([range.count * size])
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

  func storedIndex(of index: Int) -> Int { shape.inputMajorIndex(of: index) }
}

extension MatrixShape {
  /// Where weight `index` of the output-major order stands in the input-major one.
  func inputMajorIndex(of index: Int) -> Int {
    let (row, input) = index.quotientAndRemainder(dividingBy: inputs)
    let (matrix, output) = row.quotientAndRemainder(dividingBy: outputs)
    return (matrix * inputs + input) * outputs + output
  }
}

extension Checkpoint.Tensor {
  /// - Throws: `ConversionError.undecodable`.
  fileprivate func decode(
    _ bytes: [UInt8], count: Int, into weights: inout [Float], of checkpoint: Checkpoint
  ) throws {
    guard ElementDecoder.decode(bytes, count: count, as: info.dtype, into: &weights) else {
      throw ConversionError.undecodable(
        file: checkpoint.fileName(of: self), tensor: name, dtype: info.dtype)
    }
  }
}

extension TensorIdentity {
  var order: MatrixOrder { isTransposed ? .inputMajor : .outputMajor }
}
