import Formats

extension SourceTensor {
  /// How its weights are read.
  ///
  /// - Parameters:
  ///   - scales: of the 8-bit float weights that it is made of, in order.
  ///   - order: that from which a tensor as it is stored is turned to be output-major.
  func storage(
    in checkpoint: Checkpoint, scales: [WeightScale?], turning order: MatrixOrder
  ) -> any WeightStorage {
    guard !pieces.isEmpty, let origin, let stored = origin.stored else {
      return Self.storage(of: self, in: checkpoint, scales[0], turning: order)
    }
    let storages = zip(pieces, scales).map { piece, scale in
      Self.storage(of: piece, in: checkpoint, scale, stored)
    }
    return StackedStorage(
      pieces: storages, partsPerPiece: pieces[0].stored.count, sourceNames: pieces.map(\.name),
      hasSourceInputs: origin.inputs == nil)
  }

  private static func storage(
    of tensor: SourceTensor, in checkpoint: Checkpoint, _ scale: WeightScale?,
    turning order: MatrixOrder
  ) -> any WeightStorage {
    if let packing = tensor.packing { return packing }
    let stored = tensor.stored[0]
    let turned =
      order == .inputMajor
      ? InputMajorStorage(checkpoint: checkpoint, tensor: stored, scale: scale) : nil
    return tensor.scaled(
      turned ?? PlainStorage(checkpoint: checkpoint, tensor: stored, scale: scale))
  }

  private func scaled(_ storage: any WeightStorage) -> any WeightStorage {
    elementScales.map { ScaledStorage(storage, of: stored[0], by: $0) } ?? storage
  }

  /// What is taken of one piece.
  private static func storage(
    of piece: SourceTensor, in checkpoint: Checkpoint, _ scale: WeightScale?,
    _ stored: TensorOrigin.StoredMatrices
  ) -> any WeightStorage {
    // All outputs of the inputs that are taken; packed ones are output-major, whatever they were.
    let base: any WeightStorage =
      if let packing = piece.packing {
        packing
      } else if stored.order == .inputMajor {
        piece.scaled(
          InputMajorStorage(
            checkpoint: checkpoint, tensor: piece.stored[0], scale: scale,
            stored: stored.withAllOutputs))
      } else {
        piece.scaled(
          PlainStorage(checkpoint: checkpoint, tensor: piece.stored[0], scale: scale))
      }
    if let rows = stored.rowOrder {
      return OrderedRows(
        base: base, rowsPerMatrix: stored.whole.outputs, matrices: stored.matrices, rows: rows)
    }
    return SelectedRows(
      base: base, rowsPerMatrix: stored.whole.outputs, matrices: stored.matrices,
      rows: stored.outputs)
  }
}
