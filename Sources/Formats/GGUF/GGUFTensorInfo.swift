/// One tensor as the header of a GGUF file describes it.
package struct GGUFTensorInfo: Sendable, Equatable {
  package let name: String
  /// Dimensions as the file stores them, innermost first: a row-major `[out, in]` matrix has
  /// `[in, out]`. Empty for a scalar.
  package let dimensions: [Int]
  package let type: GGMLType
  /// Bytes of the tensor, counted from the start of the file.
  package let dataRange: Range<Int>

  package var byteCount: Int { dataRange.count }

  /// Number of elements. Exact: the reader has checked that the product does not overflow.
  package var elementCount: Int { dimensions.reduce(1, *) }

  /// The byte count of a tensor whose rows are whole blocks; nil where it, or the product of the
  /// dimensions on the way from the innermost, exceeds 2^63 - 1.
  static func byteCount(dimensions: [Int], type: GGMLType) -> Int? {
    var count = 1
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      count = product
    }
    let (bytes, overflow) = (count / type.blockLength)
      .multipliedReportingOverflow(by: type.blockByteCount)
    return overflow ? nil : bytes
  }
}
