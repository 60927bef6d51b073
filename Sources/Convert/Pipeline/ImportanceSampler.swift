import Formats
import Synchronization

/// What errors count by input channel, for any matrix of a plan's tensors: from the mean squares of
/// the inputs where they are known, else from some rows of the tensor itself, read when first asked
/// for. The answer depends on the weights alone, not on who asks or when.
final class ImportanceSampler: Sendable {
  private let plan: ConversionPlan
  private let meanSquares: [String: [Float]]
  private let reader: TileReader
  private let state: Mutex<State>

  /// A matrix of a tensor.
  private struct Place: Hashable {
    let tensor: Int
    let matrix: Int
  }

  private struct State {
    let slot = TileSlot()
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
  init(_ plan: ConversionPlan, meanSquares: [String: [Float]]) {
    self.plan = plan
    self.meanSquares = meanSquares
    // What becomes of such weights is decided where they are quantized.
    reader = TileReader(checkpoint: plan.checkpoint, nonFinite: .zero)
    state = Mutex(State())
  }

  /// The runs of a tile whose inputs do not all count alike.
  ///
  /// - Parameters:
  ///   - tensor: index into the plan's tensors; one that is quantized.
  ///   - groups: of the tensor, in the order of the layout.
  /// - Throws: `FileError`, `ConversionError`, `MergeError`, where its rows cannot be read.
  func runs(
    of groups: Range<Int>, tensor: Int, groupSize: Int
  ) throws -> [ImportanceRun] {
    let shape = plan.tensors[tensor].matrixShape
    let perMatrix = shape.outputs * (shape.inputs / groupSize)
    guard perMatrix > 0, shape.inputs <= Self.widestInput else { return [] }
    var runs: [ImportanceRun] = []
    var start = groups.lowerBound
    while start < groups.upperBound {
      let matrix = start / perMatrix
      let end = min(groups.upperBound, (matrix + 1) * perMatrix)
      if let values = try importance(Place(tensor: tensor, matrix: matrix), shape) {
        runs.append(
          ImportanceRun(
            groups: start - groups.lowerBound..<end - groups.lowerBound, values: values,
            firstInput: start * groupSize % shape.inputs))
      }
      start = end
    }
    return runs
  }

  private func importance(_ place: Place, _ shape: TensorPlan.MatrixShape) throws -> [Float]? {
    if let squares = meanSquares[plan.tensors[place.tensor].name],
      squares.count == shape.inputs, let measured = ChannelImportance.measured(meanSquares: squares)
    {
      return measured
    }
    return try state.withLock { state throws -> [Float]? in
      if let known = state.known[place] { return known }
      let importance = ChannelImportance.inferred(
        columnEnergies: try columnEnergies(place, shape, in: state.slot))
      state.keep(importance, for: place)
      return importance
    }
  }

  /// Mean squares of the matrix's columns over rows at equal distances.
  private func columnEnergies(
    _ place: Place, _ shape: TensorPlan.MatrixShape, in slot: TileSlot
  ) throws -> [Double] {
    let tensor = plan.tensors[place.tensor]
    let wanted = min(shape.outputs, shape.matrices > 1 ? Self.rowCountInStack : Self.rowCount)
    let atOnce = max(1, min(Self.rowsAtOnce, Tiling.weightCount / shape.inputs, wanted))
    let blocks = (wanted - 1) / atOnce + 1
    var sums = [Double](repeating: 0, count: shape.inputs)
    var rowCount = 0
    for block in 0..<blocks {
      let first = (shape.outputs - atOnce) * block / max(1, blocks - 1)
      let start = place.matrix * shape.outputs + first
      try reader.readRows(start..<start + atOnce, of: tensor, into: slot)
      for row in 0..<atOnce {
        for input in 0..<shape.inputs {
          let weight = Double(slot.weights[row * shape.inputs + input])
          sums[input] += weight * weight
        }
      }
      rowCount += atOnce
    }
    return sums.map { $0 / Double(rowCount) }
  }
}

extension TensorPlan {
  /// A weight as matrices `[outputs, inputs]`, one or a stack of them.
  struct MatrixShape {
    let matrices: Int
    let outputs: Int
    let inputs: Int
  }

  var matrixShape: MatrixShape {
    let shape = outputMajorShape.map { Int(clamping: $0) }
    guard shape.count >= 2, let inputs = shape.last, inputs > 0, tensor.info.elementCount > 0 else {
      return MatrixShape(matrices: 0, outputs: 0, inputs: max(1, shape.last ?? 1))
    }
    let outputs = shape[shape.count - 2]
    return MatrixShape(
      matrices: tensor.info.elementCount / inputs / outputs, outputs: outputs, inputs: inputs)
  }
}
