import Formats

/// The scales beside an FP8 weight: `w = element * scale`.
///
/// Sources: DeepSeek-V3 (`weight_scale_inv`, one per 128 x 128 block, multiplied despite its name);
/// compressed-tensors and transformers `fbgemm_fp8` (`weight_scale`, one per tensor or row).
package struct WeightScale: Sendable {
  /// Rows and columns of the weight that share one scale.
  private let blockRows: Int
  private let blockColumns: Int
  private let blocksPerRow: Int
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

  /// Reads the scales of `weight`, a matrix `[out, in]`.
  ///
  /// - Throws: `SourceError.scaleMismatch` where the shapes do not fit; `FileError`.
  init(_ scale: Checkpoint.Tensor, of weight: Checkpoint.Tensor, in checkpoint: Checkpoint) throws {
    let mismatch = SourceError.scaleMismatch(
      tensor: weight.name, scale: scale.name, shape: weight.info.shape,
      scaleShape: scale.info.shape)
    let shape = weight.info.dimensions
    guard shape.count == 2, scale.info.dtype.isFloat, shape[0] > 0, shape[1] > 0 else {
      throw mismatch
    }
    let (rows, columns) = (shape[0], shape[1])
    let scaleShape = scale.info.dimensions
    let block = checkpoint.config?.weightBlockSize ?? [128, 128]
    switch scaleShape {
    case [], [1], [1, 1]: (blockRows, blockColumns) = (rows, columns)
    case [rows], [rows, 1]: (blockRows, blockColumns) = (1, columns)
    default:
      guard block.count == 2, block.allSatisfy({ $0 > 0 }), scaleShape.count == 2,
        scaleShape[0] == (rows - 1) / block[0] + 1, scaleShape[1] == (columns - 1) / block[1] + 1
      else { throw mismatch }
      (blockRows, blockColumns) = (block[0], block[1])
    }
    blocksPerRow = (columns - 1) / blockColumns + 1
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

  /// Multiplies `count` elements by their scales; the first is element `start` of the weight in
  /// row-major order.
  func apply(to weights: inout [Float], count: Int, start: Int, columns: Int) {
    var done = 0
    while done < count {
      let (row, column) = (start + done).quotientAndRemainder(dividingBy: columns)
      let run = min(count - done, blockColumns - column % blockColumns, columns - column)
      let scale = values[row / blockRows * blocksPerRow + column / blockColumns]
      for i in done..<done + run { weights[i] *= scale }
      done += run
    }
  }
}
