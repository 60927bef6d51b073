import Formats
import Synchronization

/// What errors count by input channel, for any matrix of a model's weights: from the mean squares of
/// the inputs where they are known, else from some rows of the weight itself, read when first asked
/// for. The answer depends on the weights alone, not on who asks or when.
final class ImportanceSampler: Sendable {
  private let meanSquares: [String: [Float]]
  private let state = Mutex(State())

  /// A matrix of a weight.
  private struct Place: Hashable {
    let weight: String
    let matrix: Int
  }

  private struct State {
    let tile = WeightTile()
    /// Nil within for a matrix whose inputs all count alike.
    var known: [Place: [Float]?] = [:]
    /// Of `known`, from the oldest on.
    var order: [Place] = []
    var heldCount = 0

    mutating func keep(_ importance: [Float]?, for place: Place) {
      known[place] = .some(importance)
      order.append(place)
      heldCount += importance?.count ?? 0
      while order.count > 1, heldCount > heldLimit || order.count > placeLimit {
        let oldest = order.removeFirst()
        heldCount -= (known.removeValue(forKey: oldest) ?? nil)?.count ?? 0
      }
    }
  }

  /// Inputs beyond which a row is no sample: they are then all taken alike.
  private static let widestInput = 1 << 20
  /// Rows that are read of a matrix; of each matrix of a stack, fewer.
  private static let rowCount = 256
  private static let rowCountInStack = 64
  private static let rowsAtOnce = 16
  /// Floats that are kept for matrices that may be asked for again, but always the latest.
  private static let heldLimit = 1 << 21
  private static let placeLimit = 4096

  /// - Parameter meanSquares: E[x²] of the inputs by channel, by name of the weight.
  init(meanSquares: [String: [Float]]) { self.meanSquares = meanSquares }

  /// The runs of a tile whose inputs do not all count alike; none where the quantizer does not ask.
  ///
  /// - Parameter range: the tile's weights, whole groups.
  /// - Throws: `FileError`, `ConversionError`, `MergeError`, where rows of the weight cannot be read.
  func runs(
    of range: Range<Int>, _ source: WeightSource, _ quantizer: WeightQuantizer
  ) throws -> [ImportanceRun] {
    guard quantizer.method != .minmax else { return [] }
    return try runs(of: range, source, groupSize: quantizer.layout.groupSize)
  }

  /// The runs of a tile whose inputs do not all count alike.
  func runs(
    of range: Range<Int>, _ source: WeightSource, groupSize: Int
  ) throws -> [ImportanceRun] {
    let shape = source.shape
    let perMatrix = shape.outputs * shape.inputs
    guard shape.count > 0, shape.inputs <= Self.widestInput else { return [] }
    var runs: [ImportanceRun] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let matrix = start / perMatrix
      let end = min(range.upperBound, (matrix + 1) * perMatrix)
      if let values = try importance(matrix, of: source) {
        let groups =
          (start - range.lowerBound) / groupSize..<(end - range.lowerBound) / groupSize
        runs.append(
          ImportanceRun(groups: groups, values: values, firstInput: start % shape.inputs))
      }
      start = end
    }
    return runs
  }

  private func importance(_ matrix: Int, of source: WeightSource) throws -> [Float]? {
    let place = Place(weight: source.name, matrix: matrix)
    return try state.withLock { state throws -> [Float]? in
      if let known = state.known[place] { return known }
      let importance =
        try measured(matrix, of: source)
        ?? ChannelImportance.inferred(
          columnEnergies: columnEnergies(matrix, of: source, in: state.tile))
      state.keep(importance, for: place)
      return importance
    }
  }

  /// Of the matrix's own tensor in the source, where it is one of a stack.
  private func measured(_ matrix: Int, of source: WeightSource) -> [Float]? {
    let shape = source.shape
    let name = source.storage.sourceName(of: matrix * shape.outputs * shape.inputs)
    guard source.storage.hasSourceInputs, let squares = meanSquares[name ?? source.name],
      squares.count == shape.inputs
    else { return nil }
    return ChannelImportance.measured(meanSquares: squares)
  }

  /// Mean squares of the matrix's columns over rows at equal distances.
  private func columnEnergies(
    _ matrix: Int, of source: WeightSource, in tile: WeightTile
  ) throws -> [Double] {
    let shape = source.shape
    var source = source
    // What becomes of such weights is decided where they are quantized.
    source.nonFinite = .zero
    let wanted = min(shape.outputs, shape.matrices > 1 ? Self.rowCountInStack : Self.rowCount)
    let atOnce = max(1, min(Self.rowsAtOnce, Tiling.weightCount / shape.inputs, wanted))
    let blocks = (wanted - 1) / atOnce + 1
    var sums = [Double](repeating: 0, count: shape.inputs)
    var rowCount = 0
    for block in 0..<blocks {
      let first = (shape.outputs - atOnce) * block / max(1, blocks - 1)
      let start = matrix * shape.outputs + first
      try source.read(start * shape.inputs..<(start + atOnce) * shape.inputs, into: tile)
      for row in 0..<atOnce {
        for input in 0..<shape.inputs {
          let weight = Double(tile.weights[row * shape.inputs + input])
          sums[input] += weight * weight
        }
      }
      rowCount += atOnce
    }
    return sums.map { $0 / Double(rowCount) }
  }
}
