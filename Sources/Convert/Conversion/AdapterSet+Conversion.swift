import Formats
import Model

extension AdapterSet {
  /// Gives every tensor of a plan its part in the merge.
  ///
  /// - Returns: what the manifest will say.
  /// - Throws: `MergeError`.
  func plan(
    into tensors: inout [TensorPlan], options: ConversionOptions
  ) throws(MergeError) -> Manifest.Adapters {
    var targets: [String: MergeTarget] = [:]
    for tensor in tensors where tensor.action != .drop {
      guard let origin = tensor.tensor.origin, !tensor.tensor.pieces.isEmpty else {
        targets[tensor.name] = MergeTarget(
          name: tensor.name, shape: tensor.tensor.shape, order: tensor.identity.order)
        continue
      }
      for target in MergeTarget.all(tensor.name, madeOf: origin) { targets[target.name] = target }
    }
    let updates = try updates(base: targets)
    for index in tensors.indices {
      guard let update = updates[tensors[index].name] else { continue }
      try Self.plan(update, into: &tensors[index], options: options)
    }
    return Manifest.Adapters(merged: record(updates), originals: nil)
  }

  private static func plan(
    _ update: TensorUpdate, into tensor: inout TensorPlan, options: ConversionOptions
  ) throws(MergeError) {
    var update = update
    tensor.reason += ", adapters merged"
    switch tensor.action {
    case .drop: return
    case .blocks: preconditionFailure("adapters are merged into what MLX takes")
    case .quantize(let layout, let scaleType):
      if let misfit = update.pooled.first(where: { $0.group % layout.groupSize != 0 }) {
        guard options.mergesMismatchedGroups else {
          throw .groupMismatch(
            adapter: misfit.adapter.path, module: misfit.module, pooled: misfit.group,
            packed: layout.groupSize)
        }
        update.dense += update.pooled.filter { $0.group % layout.groupSize != 0 }
        update.pooled.removeAll { $0.group % layout.groupSize != 0 }
      }
      try update.checkScales(layout, inputs: tensor.inputCount, tensor: tensor.name)
      if tensor.sourceOrder == .inputMajor, update.replacement != nil {
        throw .cannotCombine(
          tensor: tensor.name,
          what: "it is stored [in, out]; a whole weight in its place cannot be quantized")
      }
      if !update.pooled.isEmpty || update.scales != nil, let type = options.biasType,
        type != scaleType
      {
        tensor.biasType = type
      }
    case .copy:
      guard let type = ScaleType(tensor.tensor.dtype) else {
        throw .notFloat(tensor: tensor.name, dtype: tensor.tensor.dtype)
      }
      tensor.action = .decode(type)
      fallthrough
    case .decode:
      if update.scales != nil {
        throw .cannotCombine(
          tensor: tensor.name, what: "it is not packed, so that it has no scales to tune")
      }
      // Nothing is packed here: all updates are of the weights.
      update.dense += update.pooled
      update.pooled = []
      if tensor.sourceOrder == .inputMajor, !update.dense.isEmpty {
        throw .cannotCombine(
          tensor: tensor.name, what: "it is kept, stored [in, out]; adapters need it quantized")
      }
    }
    tensor.update = update
  }
}
