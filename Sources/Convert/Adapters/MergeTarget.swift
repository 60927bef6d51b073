import Formats

/// A weight of the base that an adapter's module may be merged into.
struct MergeTarget {
  let name: String
  /// As the source stores it.
  let shape: [UInt64]
  let order: MatrixOrder

  /// `[out, in]`; nil for what is no matrix.
  var matrix: (outputs: Int, inputs: Int)? {
    guard shape.count == 2, let first = Int(exactly: shape[0]), let second = Int(exactly: shape[1])
    else { return nil }
    return order == .inputMajor ? (second, first) : (first, second)
  }
}
