import Formats
import Model

/// The scales beside an FP8 weight: `w = element * scale`.
///
/// The weight is a matrix, a stack of them `[experts, rows, columns]`, or a vector, as it lies in the
/// file. Scales are held against the stored rows and columns, also where those are inputs and
/// outputs. One scale for each row or column is always one for each *output*: that is what
/// all known writers mean by it. So a matrix stored input-major takes one for each column, and a
/// list that fits only its inputs is refused. Of a square one, stored input-major, a plain list
/// counts for the outputs, and a column `[rows, 1]` is refused, since it says the opposite.
///
/// Sources: DeepSeek-V3 (`weight_scale_inv`, one per 128 x 128 block, multiplied despite its name);
/// compressed-tensors and transformers `fbgemm_fp8` (`weight_scale`, one per tensor, output or block).
package struct WeightScale: Sendable {
  /// Of one matrix.
  private let rows: Int
  private let columns: Int
  /// Rows and columns that share one scale.
  private let blockRows: Int
  private let blockColumns: Int
  /// Scales of one matrix; 0 where all matrices of the stack share theirs.
  private let perMatrix: Int
  private let values: [Float]
  /// Name of the tensor that held the scales.
  package let name: String

  private static let suffixes = ["_scale_inv", "_scale"]

  /// The companion of the FP8 tensor `weight`; nil where there is none.
  static func companion(
    of weight: String, in tensors: [String: Checkpoint.Tensor]
  ) -> Checkpoint.Tensor? {
    for suffix in suffixes {
      if let tensor = tensors[weight + suffix] { return tensor }
    }
    return nil
  }

  /// Reads the scales of `weight`.
  ///
  /// - Parameter isInputMajor: whether its rows are inputs.
  /// - Throws: `SourceError.scaleMismatch` where the shapes do not fit; `FileError`.
  init(
    _ scale: Checkpoint.Tensor, of weight: Checkpoint.Tensor, isInputMajor: Bool,
    in checkpoint: Checkpoint
  ) throws {
    let mismatch = SourceError.scaleMismatch(
      tensor: weight.name, scale: scale.name, shape: weight.info.shape,
      scaleShape: scale.info.shape, isInputMajor: isInputMajor)
    let shape = weight.info.dimensions
    guard (1...3).contains(shape.count), !shape.contains(0), scale.info.dtype.isFloat else {
      throw mismatch
    }
    let count = shape.count == 3 ? shape[0] : 1
    columns = shape.count == 1 ? 1 : shape[shape.count - 1]
    rows = shape.count == 1 ? shape[0] : shape[shape.count - 2]
    guard
      let fit = Self.fit(
        scale.info.dimensions, experts: shape.count == 3 ? count : nil, rows: rows,
        columns: columns, isInputMajor: isInputMajor,
        block: checkpoint.config?.weightBlockSize ?? [128, 128])
    else { throw mismatch }
    (blockRows, blockColumns) = (fit.rows, fit.columns)
    perMatrix =
      fit.isShared ? 0 : ((rows - 1) / blockRows + 1) * ((columns - 1) / blockColumns + 1)
    name = scale.name
    var bytes = [UInt8](repeating: 0, count: scale.info.byteCount)
    try checkpoint.read(0..<bytes.count, of: scale, into: &bytes)
    var values = [Float](repeating: 0, count: scale.info.elementCount)
    guard
      ElementDecoder.decode(
        bytes, count: values.count, as: scale.info.dtype, into: &values)
    else { throw mismatch }
    self.values = values
  }

  /// How many rows and columns share a scale of this shape, and whether all matrices do; nil where
  /// it does not fit.
  private static func fit(
    _ scale: [Int], experts: Int?, rows: Int, columns: Int, isInputMajor: Bool, block: [Int]
  ) -> (rows: Int, columns: Int, isShared: Bool)? {
    if scale.allSatisfy({ $0 == 1 }), scale.count <= 3 { return (rows, columns, true) }
    var own = scale
    if let experts {
      guard own.removeFirst() == experts else { return nil }
      if own.allSatisfy({ $0 == 1 }), own.count <= 2 { return (rows, columns, false) }
    }
    let isShared = experts == nil
    if isInputMajor, own == [columns] || own == [1, columns] { return (rows, 1, isShared) }
    if !isInputMajor, own == [rows] || own == [rows, 1] { return (1, columns, isShared) }
    guard block.count == 2, block.allSatisfy({ $0 > 0 }), own.count == 2,
      own[0] == (rows - 1) / block[0] + 1, own[1] == (columns - 1) / block[1] + 1
    else { return nil }
    return (block[0], block[1], isShared)
  }

  /// Multiplies `count` elements, from `offset` of `weights` on, by their scales; the first is
  /// element `start` of the weight as it is stored.
  func apply(to weights: inout [Float], at offset: Int = 0, count: Int, start: Int) {
    let perRow = (columns - 1) / blockColumns + 1
    var done = 0
    while done < count {
      let (row, column) = (start + done).quotientAndRemainder(dividingBy: columns)
      let (matrix, rowInMatrix) = row.quotientAndRemainder(dividingBy: rows)
      let first = matrix * perMatrix + rowInMatrix / blockRows * perRow
      if blockColumns == 1 {
        let run = min(count - done, columns - column)
        for i in 0..<run { weights[offset + done + i] *= values[first + column + i] }
        done += run
      } else {
        let run = min(count - done, blockColumns - column % blockColumns, columns - column)
        let scale = values[first + column / blockColumns]
        for i in offset + done..<offset + done + run { weights[i] *= scale }
        done += run
      }
    }
  }
}
