import Formats

/// Weights that are quantized to blocks of a GGUF type.
struct BlockTensor: TensorProducer {
  let source: WeightSource
  let reads: [ReadPart]
  let quantizer: BlockQuantizer
  let parts: [SafetensorsLayout.Request]
  /// What errors count in the search.
  let importance: ImportanceSampler

  var readsInOrder: Bool { source.storage.isReadInOrder }

  func tiles() -> [Range<Int>] { source.tiles(ofWholeRows: true) }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    let layout = quantizer.layout
    let blocks = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    let size = layout.bytesPerGroup(ofPart: 0)
    try source.read(range, into: slot.tile)
    slot.effects.zeroedCount = slot.tile.zeroedCount
    // Rows of one matrix meet the same inputs.
    let runs = try importance.runs(of: range, source, groupSize: layout.groupSize)
    slot.preparePieces([(blocks.lowerBound * size, blocks.count * size)])
    slot.effects.error = slot.blocks.quantize(
      slot.tile, blockCount: blocks.count, quantizer, importance: runs.first?.values ?? [],
      into: &slot.pieces[0].bytes)
  }
}
