import Formats

/// Weights that are quantized and packed.
struct QuantizedTensor: TensorProducer {
  let source: WeightSource
  let reads: [ReadPart]
  let quantizer: WeightQuantizer
  let parts: [SafetensorsLayout.Request]
  /// Type of the biases.
  let biasType: ScaleType
  /// What errors count in a search.
  let importance: ImportanceSampler
  /// What adapters do to scales and biases.
  let update: ParameterUpdate?

  var readsInOrder: Bool { source.storage.isReadInOrder }

  func tiles() -> [Range<Int>] { source.tiles() }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    let layout = quantizer.layout
    let groups = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    try source.read(range, into: slot.tile)
    slot.effects.zeroedCount = slot.tile.zeroedCount
    slot.effects.error = slot.quantized.quantize(
      slot.tile.weights, groupCount: groups.count, quantizer,
      importance: try importance.runs(of: range, source, quantizer))
    try update?.apply(
      to: groups, scales: &slot.quantized.scales, biases: &slot.quantized.biases,
      rounding: &slot.effects.rounding, scratch: slot.tile)
    encode(groups, in: slot)
  }

  private func encode(_ groups: Range<Int>, in slot: ProducerSlot) {
    let layout = quantizer.layout
    let scaleType = quantizer.scaleType
    let sizes = [layout.bytesPerGroup, scaleType.byteCount, biasType.byteCount]
    slot.preparePieces(sizes.map { (groups.lowerBound * $0, groups.count * $0) })
    let (quantized, count) = (slot.quantized, groups.count)
    layout.pack(quantized.codes, count: count * layout.groupSize, into: &slot.pieces[0].bytes)
    ElementEncoder.encode(
      quantized.scales, count: count, as: scaleType, into: &slot.pieces[1].bytes)
    ElementEncoder.encode(
      quantized.biases, count: count, as: biasType, into: &slot.pieces[2].bytes)
  }
}
