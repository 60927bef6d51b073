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

  /// Decodes `groups` of the tensor into `slot.transposed`, in the order of the layout, and leaves
  /// the stored bytes of weight, scales and biases in `slot.outputs`.
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
    let sizes =
      [layout.bytesPerGroup] + tensor.stored.dropFirst().map { $0.info.dtype.bitCount / 8 }
    slot.prepareOutputs(sizes.map { count * $0 })
    for (position, size) in sizes.enumerated() {
      try checkpoint.read(
        groups.lowerBound * size..<groups.upperBound * size, of: tensor.stored[position],
        into: &slot.outputs[position].bytes)
    }
    layout.unpack(slot.outputs[0].bytes, count: weights, into: &slot.codes)
    Self.decode(slot.outputs[1], tensor.stored[1], count: count, into: &slot.scales)
    Self.decode(slot.outputs[2], tensor.stored[2], count: count, into: &slot.biases)
    layout.dequantize(
      codes: slot.codes, scales: slot.scales, biases: slot.biases, groupCount: count,
      in: Self.decodedType(tensor), into: &slot.transposed)
  }

  private static func decode(
    _ piece: TileSlot.Output, _ tensor: Checkpoint.Tensor, count: Int, into values: inout [Float]
  ) {
    let decodes = ElementDecoder.decode(
      piece.bytes, count: count, as: tensor.info.dtype, into: &values)
    precondition(decodes, "scales and biases have a floating-point type")
  }

  /// Reads bytes of a raw tensor into `slot.outputs`.
  func readRaw(
    _ range: Range<Int>, of tensor: PackedCheckpoint.Tensor, into slot: TileSlot
  ) throws {
    slot.prepareOutputs([range.count])
    try checkpoint.read(range, of: tensor.stored[0], into: &slot.outputs[0].bytes)
  }
}
