import Formats

/// A tensor packed in MLX's affine layout.
struct PackedStorage: WeightStorage {
  let checkpoint: Checkpoint
  /// Packed words, scales, biases.
  let parts: [Checkpoint.Tensor]
  let layout: AffineLayout
  /// Which way the source of the packed weights stored them.
  let order: MatrixOrder

  var shape: MatrixShape {
    let groups = MatrixShape(stored: parts[1].info.dimensions, .outputMajor)
    return MatrixShape(
      matrices: groups.matrices, outputs: groups.outputs, inputs: groups.inputs * layout.groupSize)
  }
  var byteCount: Int { parts.reduce(0) { $0 + $1.info.byteCount } }
  var readsWholeRows: Bool { false }
  var isReadInOrder: Bool { true }
  var elementType: DType? { nil }

  /// Type of the decoded weights: the promotion of scales and biases.
  var decodedType: ScaleType {
    guard let scales = ScaleType(parts[1].info.dtype), let biases = ScaleType(parts[2].info.dtype)
    else { return .f32 }
    return scales.promoted(with: biases)
  }

  /// - Parameter range: whole groups.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    let groups = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    precondition(range.count == groups.count * layout.groupSize)
    tile.codes.grow(to: range.count, filler: 0)
    tile.scales.grow(to: groups.count, filler: 0)
    tile.biases.grow(to: groups.count, filler: 0)
    tile.weights.grow(to: range.count, filler: 0)
    let sizes = [layout.bytesPerGroup] + parts.dropFirst().map { $0.info.dtype.bitCount / 8 }
    tile.prepareStored(sizes.map { groups.lowerBound * $0..<groups.upperBound * $0 })
    for position in sizes.indices {
      try checkpoint.read(
        tile.stored[position].range, of: parts[position], into: &tile.stored[position].bytes)
    }
    layout.unpack(tile.stored[0].bytes, count: range.count, into: &tile.codes)
    parameters(1, tile.stored[1], count: groups.count, into: &tile.scales)
    parameters(2, tile.stored[2], count: groups.count, into: &tile.biases)
    layout.dequantize(
      codes: tile.codes, scales: tile.scales, biases: tile.biases, groupCount: groups.count,
      in: decodedType, into: &tile.weights)
  }

  private func parameters(
    _ part: Int, _ stored: WeightTile.Bytes, count: Int, into values: inout [Float]
  ) {
    let decodes = ElementDecoder.decode(
      stored.bytes, count: count, as: parts[part].info.dtype, into: &values)
    precondition(decodes, "scales and biases have a floating-point type")
  }

  func storedIndex(of index: Int) -> Int {
    order == .inputMajor ? shape.inputMajorIndex(of: index) : index
  }
}
