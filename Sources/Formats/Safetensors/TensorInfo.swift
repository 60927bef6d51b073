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

/// The byte count of a tensor, or why it has none.
package enum TensorSize: Sendable, Equatable {
  case bytes(UInt64)
  /// The product of the dimensions, or that times the element's bits, exceeds 2^64 - 1.
  case overflow
  /// The elements do not fill whole bytes.
  case partialByte(bits: UInt64)

  /// Multiplies left to right, as the reference library does: a zero dimension hides what follows
  /// it, and does not excuse an overflow before it.
  package init(shape: [UInt64], dtype: DType) {
    var count: UInt64 = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      if overflow {
        self = .overflow
        return
      }
      count = product
    }
    let (bits, overflow) = count.multipliedReportingOverflow(by: UInt64(dtype.bitCount))
    if overflow {
      self = .overflow
    } else if bits % 8 != 0 {
      self = .partialByte(bits: bits)
    } else {
      self = .bytes(bits / 8)
    }
  }
}
