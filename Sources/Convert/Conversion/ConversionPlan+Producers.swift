import Formats
import Model

extension TensorPlan {
  /// The tensor's weights: output-major where they are to be quantized, else as they lie.
  func source(in checkpoint: Checkpoint, nonFinite: NonFinitePolicy?) -> WeightSource {
    if action.isQuantized {
      source(in: checkpoint, nonFinite: nonFinite, turning: identity.order)
    } else {
      source(in: checkpoint, nonFinite: nonFinite, turning: .outputMajor)
    }
  }

  /// - Parameter order: that from which the weights are turned to be output-major.
  func source(
    in checkpoint: Checkpoint, nonFinite: NonFinitePolicy?, turning order: MatrixOrder
  ) -> WeightSource {
    let merge = WeightMerge(update, name: name).map { [$0 as any WeightTransform] } ?? []
    // A packed tensor's origin is that of another source.
    let changes = tensor.pieces.isEmpty ? nil : ChangedWeights(tensor.origin?.changes ?? [])
    return WeightSource(
      name: name, file: checkpoint.fileName(of: tensor),
      storage: tensor.storage(in: checkpoint, scales: scales, turning: order),
      nonFinite: nonFinite, transforms: merge + [changes].compactMap(\.self))
  }
}

extension ConversionPlan {
  /// What makes the output's tensors, one for each tensor of the plan, then those that are worked out.
  func producers() -> [any TensorProducer] {
    let importance = ImportanceSampler(meanSquares: options.meanSquares)
    let gptq = options.grams.map { GPTQCache($0) }
    var isRead = Set<String>()
    let derived = (gguf?.model.derived ?? []).map {
      DerivedTensor(name: $0.name, values: $0.values)
    }
    return tensors.map { tensor -> any TensorProducer in
      // What several are made of is digested once.
      let reads = checkpoint.readParts(tensor.tensor).filter {
        isRead.insert($0.tensor.name).inserted
      }
      return producer(of: tensor, reads, importance, gptq)
    } + derived
  }

  private func producer(
    of tensor: TensorPlan, _ reads: [ReadPart], _ importance: ImportanceSampler, _ gptq: GPTQCache?
  ) -> any TensorProducer {
    let source = tensor.source(in: checkpoint, nonFinite: options.nonFinite)
    switch tensor.action {
    case .drop: return UnwrittenTensor(reads: reads)
    case .copy:
      return CopiedTensor(
        checkpoint.readParts(tensor.tensor)[0], name: tensor.name, shape: tensor.tensor.shape,
        isDigested: !reads.isEmpty)
    case .decode(let type):
      return EncodedTensor(
        source, reads: reads, as: type, shape: tensor.tensor.shape, order: tensor.tensor.turnedFrom,
        option: gguf == nil ? nil : "--type")
    case .blocks(let layout, _):
      guard let quantizer = BlockQuantizer(layout.type) else {
        preconditionFailure("a plan has types that are written")
      }
      return BlockTensor(
        source: source, reads: reads, quantizer: quantizer, parts: tensor.stored,
        importance: importance)
    case .quantize(let layout, let scaleType):
      let packing = AffinePacking(layout, scaleType: scaleType, biasType: tensor.biasType)
      return QuantizedTensor(
        source: source, reads: reads,
        quantizer: WeightQuantizer(layout: layout, scaleType: scaleType, method: options.method),
        parts: tensor.stored, packing: packing, importance: importance,
        gptq: gptq.flatMap { cache in
          tensor.grams.map { GPTQInputs(cache: cache, grams: $0) }
        },
        update: ParameterUpdate(
          tensor.update, name: tensor.name, packing: packing,
          groupsPerRow: source.shape.inputs / layout.groupSize))
    }
  }
}
