import Formats

extension Checkpoint.Tensor {
  /// - Throws: `ConversionError.undecodable`.
  func decode(
    _ bytes: [UInt8], count: Int, into weights: inout [Float], of checkpoint: Checkpoint
  ) throws {
    guard ElementDecoder.decode(bytes, count: count, as: info.dtype, into: &weights) else {
      throw ConversionError.undecodable(
        file: checkpoint.fileName(of: self), tensor: name, dtype: info.dtype)
    }
  }
}
