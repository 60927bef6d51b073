import Formats

/// A change of weights on their way from the file.
protocol WeightTransform: Sendable {
  /// Whether it can only be applied to whole rows.
  var needsWholeRows: Bool { get }
  /// Changes `tile.weights`, which are weights `range` of the tensor.
  func apply(to tile: WeightTile, _ range: Range<Int>, of shape: MatrixShape) throws
}
