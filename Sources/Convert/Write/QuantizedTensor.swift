import Formats
import Stats

/// Weights that are quantized and packed.
struct QuantizedTensor: TensorProducer {
  let source: WeightSource
  let reads: [ReadPart]
  let quantizer: WeightQuantizer
  let parts: [SafetensorsLayout.Request]
  let packing: AffinePacking
  /// What errors count in a search.
  let importance: ImportanceSampler
  /// The second moments of its inputs; nil where it is not quantized for them.
  let gptq: GPTQInputs?
  /// What adapters do to scales and biases.
  let update: ParameterUpdate?

  var readsInOrder: Bool { source.storage.isReadInOrder }

  func tiles() -> [Range<Int>] {
    gptq == nil
      ? source.tiles() : source.tiles(ofWholeRows: true, rowsMultipleOf: GPTQKernels.stripRows)
  }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    let layout = quantizer.layout
    let groups = range.lowerBound / layout.groupSize..<range.upperBound / layout.groupSize
    slot.effects.error = try quantize(range, groupCount: groups.count, in: slot)
    slot.effects.zeroedCount = slot.tile.zeroedCount
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

  private func quantize(
    _ range: Range<Int>, groupCount: Int, in slot: ProducerSlot
  ) throws -> QuantizationError {
    let inputs = source.shape.inputs
    if let gptq, !range.isEmpty,
      let factors = try gptq.factors(ofMatrix: range.lowerBound / (source.shape.outputs * inputs))
    {
      try source.read(range, into: slot.tile)
      return slot.quantized.quantize(
        slot.tile, rows: range.count / inputs, quantizer, factors: factors)
    }
    try source.readElements(range, into: slot.tile)
    return slot.quantized.quantize(
      slot.tile, groupCount: groupCount, quantizer,
      importance: try importance.runs(of: range, source, quantizer))
  }
}
