import Formats

extension PackedCheckpoint {
  /// How a tensor is packed; nil for one that was kept.
  func packedStorage(_ tensor: Tensor) -> PackedStorage? {
    guard case .affine(let layout) = tensor.entry.layout else { return nil }
    return PackedStorage(
      affine: layout, tensor.stored, order: tensor.entry.order, of: checkpoint)
  }

  /// The decoded weights of a packed tensor, output-major.
  func source(_ tensor: Tensor, _ storage: PackedStorage) -> WeightSource {
    WeightSource(
      name: tensor.entry.name, file: checkpoint.fileName(of: tensor.stored[0]), storage: storage)
  }

  /// Where a tensor is, for messages.
  func path(of tensor: Tensor) -> String { checkpoint.files[tensor.stored[0].file].path }
}
