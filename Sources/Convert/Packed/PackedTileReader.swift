import Formats

/// Reads and decodes runs of groups of packed tensors.
struct PackedTileReader {
  let checkpoint: Checkpoint

  /// Type of the decoded weights of a packed tensor: the promotion of its scales and biases.
  static func decodedType(_ tensor: PackedCheckpoint.Tensor) -> ScaleType {
    guard tensor.stored.count == 3, let scales = ScaleType(tensor.stored[1].info.dtype),
      let biases = ScaleType(tensor.stored[2].info.dtype)
    else { return .f32 }
    return scales.promoted(with: biases)
  }

  /// Decodes `groups` of the tensor into `slot.transposed`, in the order of the layout.
  func read(
    _ groups: Range<Int>, of tensor: PackedCheckpoint.Tensor, layout: AffineLayout,
    into slot: TileSlot
  ) throws {
    let count = groups.count
    let weights = count * layout.groupSize
    slot.codes.grow(to: weights, filler: 0)
    slot.scales.grow(to: count, filler: 0)
    slot.biases.grow(to: count, filler: 0)
    slot.transposed.grow(to: weights, filler: 0)
    try readBytes(
      groups.lowerBound * layout.bytesPerGroup..<groups.upperBound * layout.bytesPerGroup,
      of: tensor.stored[0], into: slot)
    layout.unpack(slot.source, count: weights, into: &slot.codes)
    try readParameters(groups, of: tensor.stored[1], into: slot, values: &slot.scales)
    try readParameters(groups, of: tensor.stored[2], into: slot, values: &slot.biases)
    layout.dequantize(
      codes: slot.codes, scales: slot.scales, biases: slot.biases, groupCount: count,
      in: Self.decodedType(tensor), into: &slot.transposed)
  }

  private func readParameters(
    _ groups: Range<Int>, of tensor: Checkpoint.Tensor, into slot: TileSlot,
    values: inout [Float]
  ) throws {
    let size = tensor.info.dtype.bitCount / 8
    try readBytes(groups.lowerBound * size..<groups.upperBound * size, of: tensor, into: slot)
    let decodes = ElementDecoder.decode(
      slot.source, count: groups.count, as: tensor.info.dtype, into: &values)
    precondition(decodes, "scales and biases have a floating-point type")
  }

  func readBytes(
    _ range: Range<Int>, of tensor: Checkpoint.Tensor, into slot: TileSlot
  ) throws {
    slot.source.grow(to: range.count, filler: 0)
    slot.sourceByteCount = range.count
    try checkpoint.read(range, of: tensor, into: &slot.source)
  }
}
