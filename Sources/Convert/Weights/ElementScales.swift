import Formats

/// What the elements of a stored tensor are multiplied with: the factor of their row and that of their column,
/// the same in every matrix of a stack. A vector is one row.
struct ElementScales: Sendable, Equatable {
  /// As many as a stored matrix has; nil where all are 1.
  var rows: [Float]?
  var columns: [Float]?
  /// Of elements that say what a factor exceeds 1 by, in the type that they are rounded to: w becomes
  /// `(1 + w) s - 1`, where s is not 1. Nil for others.
  var aboveOne: ScaleType?

  /// `element` scaled, rounded once.
  func scaled(_ element: Float, row: Int, column: Int) -> Float {
    let factor = Double(rows?[row] ?? 1) * Double(columns?[column] ?? 1)
    guard let aboveOne else { return Float(Double(element) * factor) }
    // What is added and taken away again may round.
    return factor == 1 ? element : aboveOne.round((1 + Double(element)) * factor - 1)
  }
}
