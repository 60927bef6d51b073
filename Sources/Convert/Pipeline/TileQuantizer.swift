import Formats
import Stats

/// Turns one tile of the source into bytes of the output.
struct TileQuantizer {
  let plan: ConversionPlan
  private let reader: TileReader

  init(_ plan: ConversionPlan) {
    self.plan = plan
    reader = TileReader(checkpoint: plan.checkpoint, nonFinite: plan.options.nonFinite)
  }

  func perform(_ job: TileJob, in slot: TileSlot) throws {
    let tensor = plan.tensors[job.tensor]
    slot.outputCount = 0
    slot.error = QuantizationError()
    switch (job.content, tensor.action) {
    case (.bytes(let range), .decode(let type)):
      try reader.readRun(range, of: tensor, into: slot)
      slot.prepareOutputs([range.count * type.byteCount])
      slot.outputs[0].offset = range.lowerBound * type.byteCount
      ElementEncoder.encode(
        slot.weights, count: range.count, as: type, into: &slot.outputs[0].bytes)
    case (.bytes(let range), .copy):
      try reader.readBytes(range, of: tensor, into: slot)
      slot.prepareOutputs([range.count])
      slot.outputs[0].offset = range.lowerBound
      // The copy goes out while the source buffer goes into the source's checksum.
      slot.outputs[0].bytes.replaceSubrange(0..<range.count, with: slot.source[0..<range.count])
    case (.bytes(let range), _):
      try reader.readBytes(range, of: tensor, into: slot)
    case (.groups(let groups), .quantize(let layout, let scaleType)):
      let size = layout.groupSize
      try reader.readRun(
        groups.lowerBound * size..<groups.upperBound * size, of: tensor, into: slot)
      quantize(groups, layout, scaleType, in: slot)
    case (.transposedGroups(let groups), .quantize(let layout, let scaleType)):
      let perRow = tensor.inputCount / layout.groupSize
      try reader.readTransposed(
        rows: groups.lowerBound / perRow..<groups.upperBound / perRow, of: tensor, into: slot)
      quantize(groups, layout, scaleType, in: slot)
    case (.groups, _), (.transposedGroups, _):
      preconditionFailure("only quantized tensors are cut into groups")
    }
  }

  /// Quantizes `slot.weights` into the outputs: packed codes, scales, biases.
  private func quantize(
    _ groups: Range<Int>, _ layout: AffineLayout, _ scaleType: ScaleType, in slot: TileSlot
  ) {
    let count = groups.count
    slot.codes.grow(to: count * layout.groupSize, filler: 0)
    slot.scales.grow(to: count, filler: 0)
    slot.biases.grow(to: count, filler: 0)
    slot.error = slot.withQuantizer(layout, scaleType, plan.options.method) { quantizer in
      quantizer.quantize(
        slot.weights, groupCount: count, codes: &slot.codes, scales: &slot.scales,
        biases: &slot.biases)
    }
    let parameterBytes = count * scaleType.byteCount
    slot.prepareOutputs([count * layout.bytesPerGroup, parameterBytes, parameterBytes])
    slot.outputs[0].offset = groups.lowerBound * layout.bytesPerGroup
    slot.outputs[1].offset = groups.lowerBound * scaleType.byteCount
    slot.outputs[2].offset = groups.lowerBound * scaleType.byteCount
    layout.pack(slot.codes, count: count * layout.groupSize, into: &slot.outputs[0].bytes)
    ElementEncoder.encode(slot.scales, count: count, as: scaleType, into: &slot.outputs[1].bytes)
    ElementEncoder.encode(slot.biases, count: count, as: scaleType, into: &slot.outputs[2].bytes)
  }
}
