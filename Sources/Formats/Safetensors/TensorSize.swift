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
