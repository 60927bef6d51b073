/// One tensor as a header describes it: its name, element type, shape and place.
package struct TensorInfo: Sendable, Equatable {
  package let name: String
  package let dtype: DType
  /// Dimensions as the header gives them, outermost first; empty for a scalar.
  package let shape: [UInt64]
  /// Bytes of the tensor, counted from the start of the data section (after the header).
  package let dataRange: Range<Int>

  package init(name: String, dtype: DType, shape: [UInt64], dataRange: Range<Int>) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.dataRange = dataRange
  }

  package var byteCount: Int { dataRange.count }

  /// The dimensions for arithmetic. Exact wherever the tensor has elements; an empty tensor may
  /// name a dimension beyond 2^63, which is clamped.
  package var dimensions: [Int] { shape.map { Int(clamping: $0) } }

  /// Number of elements. Exact: the reader has checked that the product does not overflow.
  package var elementCount: Int { shape.contains(0) ? 0 : dimensions.reduce(1, *) }
}
