import Formats

/// Scales and biases of a packed tensor with adapters merged into them; of the two the scales only
/// where they change.
struct UpdatedParameters: TensorProducer {
  let update: ParameterUpdate
  let scales: PlainStorage
  let biases: PlainStorage
  let parts: [SafetensorsLayout.Request]

  init(
    _ update: ParameterUpdate, scales: Checkpoint.Tensor, biases: Checkpoint.Tensor,
    of checkpoint: Checkpoint
  ) {
    self.update = update
    self.scales = PlainStorage(checkpoint: checkpoint, tensor: scales, scale: nil)
    self.biases = PlainStorage(checkpoint: checkpoint, tensor: biases, scale: nil)
    let both: [SafetensorsLayout.Request] = [
      .init(name: scales.name, dtype: update.packing.scaleType.dtype, shape: scales.info.shape),
      .init(name: biases.name, dtype: update.packing.biasType.dtype, shape: biases.info.shape),
    ]
    parts = update.changesScales ? both : [both[1]]
  }

  /// They are checked before the merge begins.
  var reads: [ReadPart] { [] }

  /// Whole rows: an update is computed row by row.
  func tiles() -> [Range<Int>] {
    let perRow = max(1, update.groupsPerRow)
    return Tiling.ranges(biases.shape.count, step: max(1, (1 << 16) / perRow) * perRow)
  }

  func produce(_ groups: Range<Int>, in slot: ProducerSlot) throws {
    try scales.read(groups, into: slot.tile)
    try biases.read(groups, into: slot.other)
    try update.apply(
      to: groups, scales: &slot.tile.weights, biases: &slot.other.weights,
      rounding: &slot.effects.rounding, scratch: slot.tile)
    let types =
      update.changesScales
      ? [update.packing.scaleType, update.packing.biasType] : [update.packing.biasType]
    slot.preparePieces(
      types.map { (groups.lowerBound * $0.byteCount, groups.count * $0.byteCount) })
    for (index, type) in types.enumerated() {
      let values = index == types.count - 1 ? slot.other.weights : slot.tile.weights
      ElementEncoder.encode(
        values, count: groups.count, as: type, into: &slot.pieces[index].bytes)
    }
  }
}
