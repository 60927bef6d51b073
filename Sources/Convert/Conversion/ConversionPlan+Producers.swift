import Formats
import Model

extension TensorPlan {
  /// The tensor's weights: output-major where they are to be quantized, else as they lie.
  func source(in checkpoint: Checkpoint, nonFinite: NonFinitePolicy?) -> WeightSource {
    if case .quantize = action {
      source(in: checkpoint, nonFinite: nonFinite, turning: identity.order)
    } else {
      source(in: checkpoint, nonFinite: nonFinite, turning: .outputMajor)
    }
  }

  /// - Parameter order: that from which the weights are turned to be output-major.
  func source(
    in checkpoint: Checkpoint, nonFinite: NonFinitePolicy?, turning order: MatrixOrder
  ) -> WeightSource {
    let stored = tensor.stored[0]
    let storage: any WeightStorage =
      if let packing = tensor.packing {
        packing
      } else if order == .inputMajor {
        InputMajorStorage(checkpoint: checkpoint, tensor: stored, scale: scale)
      } else {
        PlainStorage(checkpoint: checkpoint, tensor: stored, scale: scale)
      }
    return WeightSource(
      name: name, file: checkpoint.fileName(of: tensor), storage: storage, nonFinite: nonFinite,
      transforms: WeightMerge(update, name: name).map { [$0] } ?? [])
  }
}

extension ConversionPlan {
  /// What makes the output's tensors, one for each tensor of the plan.
  func producers() -> [any TensorProducer] {
    let importance = ImportanceSampler(meanSquares: options.meanSquares)
    return tensors.map { producer(of: $0, importance) }
  }

  private func producer(
    of tensor: TensorPlan, _ importance: ImportanceSampler
  ) -> any TensorProducer {
    let reads = checkpoint.readParts(tensor.tensor)
    let source = tensor.source(in: checkpoint, nonFinite: options.nonFinite)
    switch tensor.action {
    case .drop: return UnwrittenTensor(reads: reads)
    case .copy: return CopiedTensor(reads[0])
    case .decode(let type):
      return EncodedTensor(
        source, reads: reads, as: type, shape: tensor.tensor.shape, order: tensor.tensor.turnedFrom)
    case .quantize(let layout, let scaleType):
      let packing = AffinePacking(layout, scaleType: scaleType, biasType: tensor.biasType)
      return QuantizedTensor(
        source: source, reads: reads,
        quantizer: WeightQuantizer(layout: layout, scaleType: scaleType, method: options.method),
        parts: tensor.stored, packing: packing, importance: importance,
        update: ParameterUpdate(
          tensor.update, name: tensor.name, packing: packing,
          groupsPerRow: source.shape.inputs / layout.groupSize))
    }
  }
}
