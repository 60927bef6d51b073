import Formats

/// A tensor's weights, read in order, wherever and however they are stored: the one reader of
/// numbers.
package struct WeightSource: Sendable {
  package let name: String
  /// For messages.
  let file: String
  let storage: any WeightStorage
  /// Nil to hand over what is no finite number.
  var nonFinite: NonFinitePolicy?
  /// What is done to the weights after they are read, in this order.
  var transforms: [any WeightTransform] = []

  package var shape: MatrixShape { storage.shape }

  /// Whether ranges must be whole rows of one matrix.
  var readsWholeRows: Bool {
    storage.readsWholeRows || transforms.contains(where: \.needsWholeRows)
  }

  /// The ranges in which the weights are read: about a tile's size, of whole groups of any size that
  /// divides the inputs, and of whole rows of one matrix where those are asked for.
  ///
  /// - Parameter multiple: of how many rows, but for the last of a matrix.
  func tiles(ofWholeRows: Bool = false, rowsMultipleOf multiple: Int = 1) -> [Range<Int>] {
    guard readsWholeRows || ofWholeRows else {
      return Tiling.ranges(shape.count, step: Tiling.weightCount)
    }
    let step = max(1, Tiling.weightCount / max(1, shape.inputs) / multiple) * multiple
    return (0..<shape.matrices).flatMap { matrix in
      Tiling.ranges(shape.outputs, step: step).map {
        let first = matrix * shape.outputs
        return (first + $0.lowerBound) * shape.inputs..<(first + $0.upperBound) * shape.inputs
      }
    }
  }

  /// Reads weights `range`, counted in the order of `shape`, into `tile.weights`.
  ///
  /// - Throws: `FileError`; `ConversionError`; what the transforms throw.
  package func read(_ range: Range<Int>, into tile: WeightTile) throws {
    tile.elements = .f32
    try storage.read(range, into: tile)
    tile.zeroedCount = try checkFinite(range, in: tile)
    guard !transforms.isEmpty else { return }
    for transform in transforms { try transform.apply(to: tile, range, of: shape) }
    // What was finite may no longer be.
    tile.zeroedCount += try checkFinite(range, in: tile)
  }

  /// As `read`, but leaves weights that lie as patterns of 16 bits as they are where nothing is done to
  /// them: `tile.elements` says as what they are at hand.
  func readElements(_ range: Range<Int>, into tile: WeightTile) throws {
    if transforms.isEmpty, let type = try storage.readPatterns(range, into: tile),
      ElementKernels.areFinite(tile.stored[0].bytes, count: range.count, as: type)
    {
      tile.elements = type
      tile.zeroedCount = 0
    } else {
      try read(range, into: tile)
    }
  }

  /// Refuses NaN and infinities, or makes them zero.
  ///
  /// - Returns: how many were made zero.
  private func checkFinite(_ range: Range<Int>, in tile: WeightTile) throws -> Int {
    guard let nonFinite else { return 0 }
    guard !tile.areWeightsFinite(range.count) else { return 0 }
    let places = (0..<range.count).filter { !tile.weights[$0].isFinite }
    switch nonFinite {
    case .zero:
      for place in places { tile.weights[place] = 0 }
      return places.count
    case .error:
      let index = { storage.storedIndex(of: range.lowerBound + $0) }
      let first = places.min { index($0) < index($1) }!
      throw ConversionError.nonFinite(
        file: file, tensor: storage.sourceName(of: range.lowerBound + first) ?? name,
        index: index(first),
        value: tile.weights[first].isNaN ? "NaN" : "\(tile.weights[first])", count: places.count)
    }
  }
}
