import Formats
import Stats

/// Turns one tile of the source into bytes of the output.
struct TileQuantizer {
  let plan: ConversionPlan
  private let reader: TileReader
  private let sampler: ImportanceSampler

  init(_ plan: ConversionPlan) {
    self.plan = plan
    reader = TileReader(checkpoint: plan.checkpoint, nonFinite: plan.options.nonFinite)
    sampler = ImportanceSampler(plan, meanSquares: plan.options.meanSquares)
  }

  func perform(_ job: TileJob, in slot: TileSlot) throws {
    let tensor = plan.tensors[job.tensor]
    slot.outputCount = 0
    slot.zeroedCount = 0
    slot.error = QuantizationError()
    slot.rounding = BiasRounding()
    switch (job.content, tensor.action) {
    case (.elements(let range), .decode(let type)):
      try reader.readRun(range, of: tensor, into: slot)
      try reader.merge(range, of: tensor, in: slot)
      try checkOverflow(range, of: tensor, type, in: slot)
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
      try quantize(groups, of: job.tensor, layout, scaleType, in: slot)
    case (.transposedGroups(let groups), .quantize(let layout, let scaleType)):
      let perRow = tensor.inputCount / layout.groupSize
      try reader.readTransposed(
        rows: groups.lowerBound / perRow..<groups.upperBound / perRow, of: tensor, into: slot)
      try quantize(groups, of: job.tensor, layout, scaleType, in: slot)
    case (.elements, _), (.groups, _), (.transposedGroups, _):
      preconditionFailure("tiles are cut as their tensors' actions ask for")
    }
  }

  /// What was decoded or merged must fit the type that it is stored in.
  private func checkOverflow(
    _ range: Range<Int>, of tensor: TensorPlan, _ type: ScaleType, in slot: TileSlot
  ) throws {
    guard let bad = ElementEncoder.firstOverflow(slot.weights, count: range.count, as: type) else {
      return
    }
    let index = range.lowerBound + bad
    guard tensor.update == nil else {
      throw MergeError.overflow(tensor: tensor.name, index: index, type: type)
    }
    throw ConversionError.overflow(
      file: plan.checkpoint.fileName(of: tensor.tensor), tensor: tensor.name, index: index,
      value: slot.weights[bad], type: type, option: nil)
  }

  /// Quantizes `slot.weights`, with the adapters' updates, into the outputs: packed codes, scales,
  /// biases.
  private func quantize(
    _ groups: Range<Int>, of index: Int, _ layout: AffineLayout, _ scaleType: ScaleType,
    in slot: TileSlot
  ) throws {
    let tensor = plan.tensors[index]
    let count = groups.count
    let size = layout.groupSize
    try reader.merge(groups.lowerBound * size..<groups.upperBound * size, of: tensor, in: slot)
    slot.codes.grow(to: count * layout.groupSize, filler: 0)
    slot.scales.grow(to: count, filler: 0)
    slot.biases.grow(to: count, filler: 0)
    let importance =
      plan.options.method == .search
      ? try sampler.runs(of: groups, tensor: index, groupSize: size) : []
    slot.error = slot.withQuantizer(layout, scaleType, plan.options.method) { quantizer in
      quantizer.quantize(
        slot.weights, groupCount: count, importance: importance, codes: &slot.codes,
        scales: &slot.scales, biases: &slot.biases)
    }
    let biasType = tensor.biasType ?? scaleType
    try mergeBiases(groups, of: tensor, layout, scaleType, biasType, in: slot)
    slot.prepareOutputs([
      count * layout.bytesPerGroup, count * scaleType.byteCount, count * biasType.byteCount,
    ])
    slot.outputs[0].offset = groups.lowerBound * layout.bytesPerGroup
    slot.outputs[1].offset = groups.lowerBound * scaleType.byteCount
    slot.outputs[2].offset = groups.lowerBound * biasType.byteCount
    layout.pack(slot.codes, count: count * layout.groupSize, into: &slot.outputs[0].bytes)
    ElementEncoder.encode(slot.scales, count: count, as: scaleType, into: &slot.outputs[1].bytes)
    ElementEncoder.encode(slot.biases, count: count, as: biasType, into: &slot.outputs[2].bytes)
  }

  /// Merges pooled updates into `slot.biases`, or tuned scales into both parameters, of `groups`.
  private func mergeBiases(
    _ groups: Range<Int>, of tensor: TensorPlan, _ layout: AffineLayout, _ scaleType: ScaleType,
    _ biasType: ScaleType, in slot: TileSlot
  ) throws {
    guard let update = tensor.update else { return }
    if let scales = update.scales {
      return try ScaleTuning(
        name: Manifest.Entry.packedNames(of: tensor.name).biases, layout: layout, scales: scales,
        scaleType: scaleType, biasType: biasType
      ).apply(to: groups, scales: &slot.scales, biases: &slot.biases, tuned: &slot.products)
    }
    guard !update.pooled.isEmpty else { return }
    try BiasMerge(
      name: Manifest.Entry.packedNames(of: tensor.name).biases, layout: layout,
      perRow: tensor.inputCount / layout.groupSize, decoded: scaleType.promoted(with: biasType),
      type: biasType
    ).apply(
      slot.pooledPairs.pairs(of: tensor.name, update.pooled), to: groups, scales: slot.scales,
      biases: &slot.biases, scratch: &slot.biasScratch, rounding: &slot.rounding)
  }
}
