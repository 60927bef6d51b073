import Formats
import Stats

/// How far one weight matrix is from its source.
package struct MatrixDistance: Sendable {
  package let file: String
  package let tensor: String
  /// Nil for one that was kept, and is the same bit for bit.
  package let layout: AffineLayout?
  package let error: QuantizationError
}
