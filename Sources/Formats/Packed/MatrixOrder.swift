/// Which way a matrix lies in a file.
package enum MatrixOrder: Sendable, Hashable, CaseIterable {
  /// `[out, in]`, or `[matrices, out, in]`: a row holds the weights of one output.
  case outputMajor
  /// `[in, out]`, or `[matrices, in, out]`.
  case inputMajor

  /// A stored shape with its last two dimensions put as output-major, or such a shape put back.
  package func outputMajor<Dimension>(_ shape: [Dimension]) -> [Dimension] {
    guard self == .inputMajor, shape.count >= 2 else { return shape }
    var turned = shape
    turned.swapAt(shape.count - 1, shape.count - 2)
    return turned
  }
}
