import Formats

extension PackedCheckpoint {
  /// How a tensor is packed; nil for one that was kept.
  func packedStorage(_ tensor: Tensor) -> PackedStorage? {
    guard case .affine(let layout) = tensor.entry.layout else { return nil }
    return PackedStorage(
      affine: layout, tensor.stored, order: tensor.entry.order, of: checkpoint)
  }

  /// All groups of a packed tensor, its layout, and the type in which its weights are decoded; nil for one that is
  /// not packed.
  ///
  /// - Throws: `FileError`.
  package func groups(
    of tensor: Tensor
  ) throws -> (layout: AffineLayout, groups: PackedGroups, type: ScaleType)? {
    guard case .affine(let layout) = tensor.entry.layout, tensor.stored.count == 3,
      let scaleType = ScaleType(tensor.stored[1].info.dtype),
      let biasType = ScaleType(tensor.stored[2].info.dtype)
    else { return nil }
    let packing = AffinePacking(layout, scaleType: scaleType, biasType: biasType)
    let groupCount = tensor.stored[1].info.elementCount
    var groups = PackedGroups()
    groups.reserve(groupCount, groupSize: layout.groupSize)
    for (part, stored) in tensor.stored.enumerated() {
      var bytes = [UInt8](repeating: 0, count: stored.info.byteCount)
      try checkpoint.read(0..<bytes.count, of: stored, into: &bytes)
      packing.decode(bytes, groupCount: groupCount, part: part, into: &groups)
    }
    return (layout, groups, packing.decodedType)
  }

  /// The decoded weights of a packed tensor, output-major.
  func source(_ tensor: Tensor, _ storage: PackedStorage) -> WeightSource {
    WeightSource(
      name: tensor.entry.name, file: checkpoint.fileName(of: tensor.stored[0]), storage: storage)
  }

  /// Where a tensor is, for messages.
  func path(of tensor: Tensor) -> String { checkpoint.files[tensor.stored[0].file].path }
}
