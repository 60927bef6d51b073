import Formats

/// A tensor whose weights are packed.
struct PackedStorage: WeightStorage {
  let checkpoint: Checkpoint
  /// As the layout names them.
  let parts: [Checkpoint.Tensor]
  let layout: any PackedLayout
  /// Of the weights.
  let shape: MatrixShape
  /// Which way the source of the packed weights stored them.
  let order: MatrixOrder

  var byteCount: Int { parts.reduce(0) { $0 + $1.info.byteCount } }
  var readsWholeRows: Bool { false }
  var isReadInOrder: Bool { true }
  var elementType: DType? { nil }
  var decodedType: ScaleType { layout.decodedType }

  /// - Parameter range: whole groups.
  func read(_ range: Range<Int>, into tile: WeightTile) throws {
    try readGroups(range, into: tile)
    tile.weights.grow(to: range.count, filler: 0)
    layout.dequantize(
      tile.groups, groupCount: range.count / layout.groupSize, into: &tile.weights)
  }

  /// Reads the groups of weights `range` into `tile.groups`, and decodes none.
  func readGroups(_ range: Range<Int>, into tile: WeightTile) throws {
    let groups = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    precondition(range.count == groups.count * layout.groupSize)
    let sizes = parts.indices.map { layout.bytesPerGroup(ofPart: $0) }
    tile.groups.reserve(groups.count, groupSize: layout.groupSize)
    tile.prepareStored(sizes.map { groups.lowerBound * $0..<groups.upperBound * $0 })
    for part in sizes.indices {
      try checkpoint.read(
        tile.stored[part].range, of: parts[part], into: &tile.stored[part].bytes)
      layout.decode(
        tile.stored[part].bytes, groupCount: groups.count, part: part, into: &tile.groups)
    }
  }

  func storedIndex(of index: Int) -> Int {
    order == .inputMajor ? shape.inputMajorIndex(of: index) : index
  }
}

extension PackedStorage {
  /// A tensor in MLX's affine layout; nil where scales or biases have no type that it knows.
  ///
  /// - Parameters:
  ///   - parts: packed words, scales, biases, of shapes that fit one another.
  ///   - order: which way the source of the packed weights stored them.
  init?(
    affine layout: AffineLayout, _ parts: [Checkpoint.Tensor], order: MatrixOrder,
    of checkpoint: Checkpoint
  ) {
    guard parts.count == AffinePacking.partCount, let scaleType = ScaleType(parts[1].info.dtype),
      let biasType = ScaleType(parts[2].info.dtype)
    else { return nil }
    let groups = MatrixShape(stored: parts[1].info.dimensions, .outputMajor)
    self.init(
      checkpoint: checkpoint, parts: parts,
      layout: AffinePacking(layout, scaleType: scaleType, biasType: biasType),
      shape: MatrixShape(
        matrices: groups.matrices, outputs: groups.outputs,
        inputs: groups.inputs * layout.groupSize),
      order: order)
  }
}
