import Formats

/// Weights that are quantized and packed.
struct QuantizedTensor: TensorProducer {
  let source: WeightSource
  let reads: [ReadPart]
  let quantizer: WeightQuantizer
  let parts: [SafetensorsLayout.Request]
  let packing: AffinePacking
  /// What errors count in a search.
  let importance: ImportanceSampler
  /// What adapters do to scales and biases.
  let update: ParameterUpdate?

  var readsInOrder: Bool { source.storage.isReadInOrder }

  func tiles() -> [Range<Int>] { source.tiles() }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    let layout = quantizer.layout
    let groups = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    try source.readElements(range, into: slot.tile)
    slot.effects.zeroedCount = slot.tile.zeroedCount
    slot.effects.error = slot.quantized.quantize(
      slot.tile, groupCount: groups.count, quantizer,
      importance: try importance.runs(of: range, source, quantizer))
    try slot.quantized.withGroups {
      try update?.apply(
        to: groups, scales: &$0.scales, biases: &$0.biases, rounding: &slot.effects.rounding,
        scratch: slot.tile)
    }
    slot.preparePieces(
      parts.indices.map {
        let size = packing.bytesPerGroup(ofPart: $0)
        return (groups.lowerBound * size, groups.count * size)
      })
    for part in parts.indices {
      packing.encode(
        slot.quantized.groups, groupCount: groups.count, part: part,
        into: &slot.pieces[part].bytes)
    }
  }
}
