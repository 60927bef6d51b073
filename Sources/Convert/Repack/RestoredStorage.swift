import Formats

/// The weights of a tensor of a source, read from the packed tensors that hold its parts.
struct RestoredStorage: WeightStorage {
  let shape: MatrixShape
  private let name: String
  private let file: String
  private let parts: [Part]

  /// What one packed tensor holds of it.
  private struct Part {
    let weights: WeightSource
    /// The matrix of the packed tensor that is the first of `matrices`.
    let firstMatrix: Int
    let matrices: Range<Int>
    /// Of each matrix of the whole.
    let outputs: TensorOrigin.Steps
    let isTurned: Bool
  }

  /// Weights of a matrix that is read whole, because it is turned.
  private static let turnedLimit = 1 << 24

  /// - Throws: `PackedError.originIncomplete` where a matrix that must be turned is too large.
  init(_ tensor: RestoredTensor, in packed: PackedCheckpoint) throws(PackedError) {
    shape = tensor.matrices
    name = tensor.name
    file = packed.path(of: tensor.parts[0].tensor)
    let order = tensor.order
    parts = try tensor.parts.map { part throws(PackedError) in
      let weights = packed.weights(of: part)
      let isTurned = part.isTurned(in: order)
      let one = weights.shape.outputs.multipliedReportingOverflow(by: weights.shape.inputs)
      guard !isTurned || !one.overflow && one.partialValue <= Self.turnedLimit else {
        throw PackedError.originIncomplete(
          file: packed.path(of: part.tensor), tensor: tensor.name)
      }
      return Part(
        weights: weights, firstMatrix: part.place * part.stored.matrices.count,
        matrices: part.stored.matrices, outputs: part.outputs(in: order), isTurned: isTurned)
    }
  }

  var byteCount: Int { parts.reduce(0) { $0 + $1.weights.storage.byteCount } }
  var readsWholeRows: Bool { true }
  var isReadInOrder: Bool { false }
  var elementType: DType? { nil }

  func storedIndex(of index: Int) -> Int { index }

  /// - Parameter range: whole rows of one matrix.
  /// - Throws: `ConversionError.acrossMatrices` for any other; what reading the parts throws.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let rows = range.lowerBound / shape.inputs..<range.upperBound / shape.inputs
    let matrix = rows.lowerBound / shape.outputs
    let first = matrix * shape.outputs
    guard range.lowerBound >= 0, range.lowerBound % shape.inputs == 0,
      range.upperBound % shape.inputs == 0, matrix < shape.matrices,
      rows.upperBound <= first + shape.outputs
    else {
      throw ConversionError.acrossMatrices(file: file, tensor: name, range: range, shape: shape)
    }
    let outputs = rows.lowerBound - first..<rows.upperBound - first
    let other = tile.scratch { Scratch() }.tile
    tile.weights.grow(to: range.count, filler: 0)
    tile.prepareStored([])
    for part in parts where part.matrices.contains(matrix) {
      try copy(part, matrix, outputs, into: tile, through: other)
    }
  }

  private final class Scratch {
    let tile = WeightTile()
  }

  /// Copies what of `outputs` a part holds.
  private func copy(
    _ part: Part, _ matrix: Int, _ outputs: Range<Int>, into tile: WeightTile,
    through other: WeightTile
  ) throws {
    let steps = part.outputs
    // The part's own numbers of those outputs.
    let low = max(0, (outputs.lowerBound - steps.first + steps.step - 1) / steps.step)
    let high = min(steps.count, (outputs.upperBound - 1 - steps.first) / steps.step + 1)
    guard outputs.upperBound > steps.first, low < high else { return }
    let own = part.weights.shape
    let ownMatrix = part.firstMatrix + matrix - part.matrices.lowerBound
    let rows =
      part.isTurned
      ? ownMatrix * own.outputs..<(ownMatrix + 1) * own.outputs
      : ownMatrix * own.outputs + low..<ownMatrix * own.outputs + high
    try part.weights.read(rows.lowerBound * own.inputs..<rows.upperBound * own.inputs, into: other)
    for number in low..<high {
      let target = (steps.first + number * steps.step - outputs.lowerBound) * shape.inputs
      for input in 0..<shape.inputs {
        tile.weights[target + input] =
          other.weights[
            part.isTurned ? input * own.inputs + number : (number - low) * own.inputs + input]
      }
    }
  }
}

extension PackedCheckpoint {
  /// The weights of a packed tensor as the source had them.
  fileprivate func weights(of part: RestoredTensor.Part) -> WeightSource {
    let tensor = part.tensor
    let taken = part.stored.taken
    let storage: any WeightStorage =
      packedStorage(tensor)
      ?? PlainStorage(
        checkpoint: checkpoint, tensor: tensor.stored[0], scale: nil,
        shape: MatrixShape(
          matrices: taken.matrices * (tensor.entry.origin?.names.count ?? 1),
          outputs: taken.outputs, inputs: taken.inputs))
    let inverse = (tensor.entry.origin?.changes ?? []).reversed().compactMap(\.inverse)
    return WeightSource(
      name: tensor.entry.name, file: checkpoint.fileName(of: tensor.stored[0]), storage: storage,
      transforms: ChangedWeights(inverse).map { [$0] } ?? [])
  }
}
