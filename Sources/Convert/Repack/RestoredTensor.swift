import Formats

/// A tensor of a source, as packed tensors hold it in parts.
struct RestoredTensor {
  /// What one packed tensor holds of it.
  struct Part {
    let tensor: PackedCheckpoint.Tensor
    /// Of the packed tensor, as matrices.
    let stored: TensorOrigin.StoredMatrices
    /// Which of the names of the origin is this tensor's.
    let place: Int
  }

  let name: String
  let shape: [UInt64]
  private(set) var parts: [Part]

  /// More parts than this are no model's.
  private static let partLimit = 1 << 12
  /// Bytes of all names: no header could hold more.
  private static let nameLimit = 100_000_000

  /// The tensors of the source that a packed checkpoint's origins name, in the order of what holds them.
  ///
  /// - Throws: `PackedError.originIncomplete` where the parts are not all of a tensor, or overlap.
  static func all(of packed: PackedCheckpoint) throws(PackedError) -> [RestoredTensor] {
    var tensors: [RestoredTensor] = []
    var byName: [String: Int] = [:]
    let others = Set(packed.tensors.filter { $0.entry.origin == nil }.map(\.entry.name))
    var namesLeft = nameLimit
    for tensor in packed.tensors {
      guard let origin = tensor.entry.origin else { continue }
      let bytes = origin.names.byteCount
      guard bytes <= namesLeft, let stored = origin.stored else {
        throw .originIncomplete(file: packed.path(of: tensor), tensor: origin.names[0])
      }
      namesLeft -= bytes
      for (place, name) in origin.names.all.enumerated() {
        guard !others.contains(name) else {
          throw .originIncomplete(file: packed.path(of: tensor), tensor: name)
        }
        let part = Part(tensor: tensor, stored: stored, place: place)
        guard let known = byName[name] else {
          byName[name] = tensors.count
          tensors.append(
            RestoredTensor(name: name, shape: origin.shape, parts: [part]))
          continue
        }
        guard tensors[known].shape == origin.shape, tensors[known].parts.count < partLimit else {
          throw .originIncomplete(file: packed.path(of: tensor), tensor: name)
        }
        tensors[known].parts.append(part)
      }
    }
    for tensor in tensors where !tensor.isWhole {
      throw .originIncomplete(file: packed.path(of: tensor.parts[0].tensor), tensor: tensor.name)
    }
    return tensors
  }

  /// The matrices of the tensor, and the order in which they are put together: as they are stored, unless
  /// every part has them turned.
  var order: MatrixOrder {
    parts.allSatisfy { $0.stored.order == .inputMajor } ? .inputMajor : .outputMajor
  }

  /// Of the whole, in that order.
  var matrices: MatrixShape { parts[0].stored.whole(in: order) }

  /// Whether the parts are matrices of one shape, reach across all inputs, and are all of it.
  private var isWhole: Bool {
    // Asked of all parts once.
    let (order, whole) = (order, matrices)
    let first = parts[0].stored
    // Each as runs of outputs of the whole.
    let covered = parts.map { part in (part.stored.matrices, part.outputs(in: order)) }
    guard
      parts.allSatisfy({
        $0.stored.rows == first.rows && $0.stored.matrixCount == first.matrixCount
          && $0.inputCount(in: order) == whole.inputs
      })
    else { return false }
    var left = whole.rows
    for (matrices, outputs) in covered {
      left -= matrices.count * outputs.count
      guard left >= 0 else { return false }
    }
    guard left == 0 else { return false }
    // Sorted by matrix, only neighbours in the same matrices can overlap.
    let sorted = covered.sorted { ($0.0.lowerBound, $0.1.first) < ($1.0.lowerBound, $1.1.first) }
    for (index, one) in sorted.enumerated() {
      for other in sorted[(index + 1)...] {
        guard other.0.lowerBound < one.0.upperBound else { break }
        if one.1.overlaps(other.1) { return false }
      }
    }
    return true
  }
}

extension RestoredTensor.Part {
  /// Whether its outputs are the whole's inputs.
  func isTurned(in order: MatrixOrder) -> Bool { stored.order != order }

  /// The outputs of the whole that it holds.
  func outputs(in order: MatrixOrder) -> TensorOrigin.Steps {
    isTurned(in: order)
      ? .init(first: stored.inputs.lowerBound, count: stored.inputs.count) : stored.outputs
  }

  /// The inputs of the whole that it reaches across; none where it has gaps.
  func inputCount(in order: MatrixOrder) -> Int {
    guard isTurned(in: order) else { return stored.inputs.count }
    return stored.outputs.step == 1 ? stored.outputs.count : 0
  }
}
