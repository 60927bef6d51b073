import Formats

/// How a tensor's weights lie in its file, and how they are read from there.
protocol WeightStorage: Sendable {
  /// Of the weights in the order in which they are read.
  var shape: MatrixShape { get }
  /// Of everything stored for the tensor.
  var byteCount: Int { get }
  /// Whether ranges must be whole rows of one matrix.
  var readsWholeRows: Bool { get }
  /// Whether what `read` leaves in `stored` are runs of the stored tensors.
  var isReadInOrder: Bool { get }
  /// Type of the elements whose bytes `read` leaves in `stored`, where they are the weights
  /// themselves and nothing else goes into those; else nil.
  var elementType: DType? { get }

  /// Reads weights `range`, decoded, into `tile.weights`, and leaves their bytes in `tile.stored`.
  ///
  /// - Throws: `FileError`, `ConversionError.undecodable`.
  func read(_ range: Range<Int>, into tile: WeightTile) throws
  /// Reads the patterns of weights `range` into `tile.stored[0]` where they lie there in their order as
  /// F16 or BF16 and are the weights themselves.
  ///
  /// - Returns: their type; nil, and nothing read, for weights that lie otherwise.
  /// - Throws: `FileError`.
  func readPatterns(_ range: Range<Int>, into tile: WeightTile) throws -> ScaleType?
  /// Where weight `index` stands in the tensor as its source stores it.
  func storedIndex(of index: Int) -> Int
  /// The tensors of the source that the matrices come from, as many of each; none where that is the one
  /// that the weights are called by.
  var sourceNames: [String] { get }
  /// Whether the inputs are those of the layers that these tensors are in the source.
  var hasSourceInputs: Bool { get }
}

extension WeightStorage {
  var sourceNames: [String] { [] }
  var hasSourceInputs: Bool { true }

  func readPatterns(_ range: Range<Int>, into tile: WeightTile) throws -> ScaleType? { nil }

  /// The tensor of the source that weight `index` comes from; nil for the one that the weights are
  /// called by.
  func sourceName(of index: Int) -> String? {
    guard !sourceNames.isEmpty else { return nil }
    return sourceNames[index / (shape.count / sourceNames.count)]
  }
}
