import Formats

/// Weights stored as plain numbers.
struct EncodedTensor: TensorProducer {
  let source: WeightSource
  let reads: [ReadPart]
  let type: ScaleType
  /// How the tensor is stored; its weights are read output-major where this is input-major.
  let order: MatrixOrder
  let parts: [SafetensorsLayout.Request]
  /// The option that chose the type, where one did.
  let option: String?

  init(
    _ source: WeightSource, reads: [ReadPart], as type: ScaleType, shape: [UInt64],
    order: MatrixOrder = .outputMajor, option: String? = nil
  ) {
    self.source = source
    self.reads = reads
    self.type = type
    self.order = order
    self.option = option
    parts = [.init(name: source.name, dtype: type.dtype, shape: shape)]
  }

  var readsInOrder: Bool { source.storage.isReadInOrder }

  func tiles() -> [Range<Int>] { source.tiles(ofWholeRows: order == .inputMajor) }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    try source.read(range, into: slot.tile)
    slot.effects.zeroedCount = slot.tile.zeroedCount
    try checkOverflow(range, in: slot.tile)
    let size = type.byteCount
    slot.preparePieces([(range.lowerBound * size, range.count * size)])
    guard order == .inputMajor, !range.isEmpty else {
      return ElementEncoder.encode(
        slot.tile.weights, count: range.count, as: type, into: &slot.pieces[0].bytes)
    }
    // A row is a column of the stored matrix: for each input the tile's rows lie side by side there.
    let inputs = source.shape.inputs
    let rows = range.count / inputs
    slot.tile.turned.grow(to: range.count, filler: 0)
    for input in 0..<inputs {
      for row in 0..<rows {
        slot.tile.turned[input * rows + row] = slot.tile.weights[row * inputs + input]
      }
    }
    ElementEncoder.encode(
      slot.tile.turned, count: range.count, as: type, into: &slot.pieces[0].bytes)
    slot.pieces[0].offset = source.shape.inputMajorIndex(of: range.lowerBound) * size
    slot.pieces[0].runByteCount = rows * size
    slot.pieces[0].stride = source.shape.outputs * size
  }

  /// What was decoded or merged must fit the type that it is stored in.
  private func checkOverflow(_ range: Range<Int>, in tile: WeightTile) throws {
    guard let bad = ElementEncoder.firstOverflow(tile.weights, count: range.count, as: type) else {
      return
    }
    let index = source.storage.storedIndex(of: range.lowerBound + bad)
    if source.transforms.contains(where: { $0 is WeightMerge }) {
      throw MergeError.overflow(tensor: source.name, index: index, type: type)
    }
    throw ConversionError.overflow(
      file: source.file,
      tensor: source.storage.sourceName(of: range.lowerBound + bad) ?? source.name,
      index: index, value: tile.weights[bad], type: type,
      option: option)
  }
}
