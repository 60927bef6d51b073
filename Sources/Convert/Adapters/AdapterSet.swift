import Formats

/// Adapters open for a merge, and what each does to the tensors of a base.
package struct AdapterSet: Sendable {
  package struct Member: Sendable {
    package let adapter: Adapter
    package let weight: Double
    /// XXH64 of the weight file.
    package let checksum: UInt64
  }

  package let members: [Member]
  /// What was chosen for adapters that do not say how they pool.
  package var chosenPooling: PoolingConvention?

  /// Opens the adapters and reads them through once.
  ///
  /// - Throws: `AdapterError`, `SafetensorsError`, `SourceError`, `FileError`.
  package init(_ requests: [AdapterRequest], pooling: PoolingConvention?) throws {
    members = try requests.map { request in
      let adapter = try Adapter(path: request.path)
      return Member(
        adapter: adapter, weight: request.weight, checksum: try adapter.checkValues())
    }
    chosenPooling = pooling
  }

  /// The updates of every tensor that an adapter changes, by the tensor's name in the output.
  ///
  /// - Parameter base: the base's tensors by their names in the source.
  /// - Throws: `MergeError`.
  func updates(base: [String: MergeTarget]) throws(MergeError) -> [String: TensorUpdate] {
    var updates: [String: TensorUpdate] = [:]
    for member in members {
      for module in member.adapter.modules {
        try Resolver(member: member, chosenPooling: chosenPooling, base: base)
          .add(module, to: &updates)
      }
    }
    try checkPooling(updates)
    for (name, update) in updates { try Self.checkCombination(name, update) }
    return Dictionary(
      updates.map { (base[$0]?.output ?? $0, $1) }, uniquingKeysWith: { first, _ in first })
  }

  /// A choice that contradicts every adapter, or that none needs, is a mistake worth stopping for.
  private func checkPooling(_ updates: [String: TensorUpdate]) throws(MergeError) {
    guard let chosen = chosenPooling else { return }
    let pooled = updates.values.flatMap(\.pooled)
    guard let first = pooled.min(by: { $0.module < $1.module }) else {
      throw .nothingPooled(chosen: chosen)
    }
    if pooled.allSatisfy({ $0.forward?.pooling != chosen }) {
      throw .poolingContradicts(adapter: first.adapter.path, chosen: chosen)
    }
  }

  private static func checkCombination(
    _ name: String, _ update: TensorUpdate
  ) throws(MergeError) {
    let pairs = update.pooled.count + update.dense.count
    if update.replacement != nil, pairs > 0 {
      throw .cannotCombine(tensor: name, what: "one adapter replaces it and another updates it")
    }
    if update.scales != nil, pairs > 0 || update.replacement != nil {
      throw .cannotCombine(
        tensor: name, what: "one adapter tunes its scales and another changes its weights")
    }
    if update.magnitude != nil, pairs > 1 {
      throw .cannotCombine(
        tensor: name, what: "DoRA sets the length of its rows; no other adapter can be added")
    }
  }
}

/// Settles what one adapter's modules do.
private struct Resolver {
  let member: AdapterSet.Member
  let chosenPooling: PoolingConvention?
  let base: [String: MergeTarget]

  private var adapter: Adapter { member.adapter }
  private var path: String { adapter.path }

  func add(
    _ module: Adapter.Module, to updates: inout [String: TensorUpdate]
  ) throws(MergeError) {
    let weightName = module.name + ".weight"
    let biasName = module.name + ".bias"
    if let pair = module.pair {
      let target = try target(weightName, of: module)
      let update = try lowRank(pair, of: module, target)
      if update.forward == nil {
        updates[weightName, default: TensorUpdate()].dense.append(update)
      } else {
        updates[weightName, default: TensorUpdate()].pooled.append(update)
      }
      if let magnitude = pair.magnitude {
        guard member.weight == 1 else {
          throw .cannotCombine(
            tensor: weightName, what: "DoRA cannot be merged with a weight other than 1")
        }
        if update.forward != nil {
          throw .cannotCombine(tensor: weightName, what: "DoRA does not go with pooled inputs")
        }
        updates[weightName]?.magnitude = AdapterTensor(adapter: adapter, tensor: magnitude)
      }
      if let bias = pair.bias {
        try checkShape(bias, against: try self.target(biasName, of: module))
        updates[biasName, default: TensorUpdate()].additions.append(
          (AdapterTensor(adapter: adapter, tensor: bias), member.weight * pair.scaling))
      }
    }
    if let scales = module.scales {
      let target = try target(weightName, of: module)
      guard let (outputs, inputs) = target.matrix, scales.shape.count == 2,
        scales.dimensions[0] == outputs, scales.dimensions[1] > 0,
        inputs % scales.dimensions[1] == 0
      else {
        throw .wrongShape(
          adapter: path, tensor: scales.name, shape: scales.shape, base: target.name,
          expected: "one row for each output, one column for each group of inputs")
      }
      guard member.weight == 1, updates[weightName]?.scales == nil else {
        throw .cannotCombine(
          tensor: weightName,
          what: "tuned scales have no share: give one such adapter, without weight")
      }
      updates[weightName, default: TensorUpdate()].scales =
        AdapterTensor(adapter: adapter, tensor: scales)
    }
    for (tensor, name) in [(module.weight, weightName), (module.bias, biasName)] {
      guard let tensor else { continue }
      try checkShape(tensor, against: try target(name, of: module))
      guard member.weight == 1, updates[name]?.replacement == nil else {
        throw .cannotCombine(
          tensor: name, what: "trained anew, it has no share: give one such adapter, without weight"
        )
      }
      updates[name, default: TensorUpdate()].replacement =
        AdapterTensor(adapter: adapter, tensor: tensor)
    }
  }

  private func target(
    _ tensor: String, of module: Adapter.Module
  ) throws(MergeError) -> MergeTarget {
    guard let target = base[tensor] else {
      throw .moduleMissing(adapter: path, module: module.name, tensor: tensor)
    }
    try target.checkWhole()
    return target
  }

  private func checkShape(_ tensor: TensorInfo, against target: MergeTarget) throws(MergeError) {
    guard tensor.shape == target.shape else {
      throw .wrongShape(
        adapter: path, tensor: tensor.name, shape: tensor.shape, base: target.name,
        expected: "\(target.shape)")
    }
  }

  private func lowRank(
    _ pair: Adapter.Pair, of module: Adapter.Module, _ target: MergeTarget
  ) throws(MergeError) -> LowRankUpdate {
    guard let (rows, columns) = target.matrix else {
      throw .wrongShape(
        adapter: path, tensor: pair.b.name, shape: pair.b.shape, base: target.name,
        expected: "no pair, for the base has shape \(target.shape)")
    }
    // An embedding's table is [entries, width]; A runs along its entries, B along its width.
    let (outputs, inputs) = pair.isEmbedding ? (columns, rows) : (rows, columns)
    let (found, across) = (pair.a.dimensions[1], pair.b.dimensions[0])
    guard across == outputs, found <= inputs, inputs % found == 0 else {
      if across == inputs, found == outputs, inputs != outputs {
        throw .transposed(
          adapter: path, tensor: pair.b.name, shape: pair.b.shape, base: target.name)
      }
      throw across == outputs
        ? .wrongShape(
          adapter: path, tensor: pair.a.name, shape: pair.a.shape, base: target.name,
          expected: "[\(pair.rank), \(inputs)], or a whole fraction of the inputs")
        : .wrongShape(
          adapter: path, tensor: pair.b.name, shape: pair.b.shape, base: target.name,
          expected: "[\(outputs), \(pair.rank)]")
    }
    // PEFT corrects fan_in_fan_out layer by layer and saves one value for all, so shapes decide
    // where they can.
    if let isInputMajor = adapter.config.isInputMajor, !pair.isEmbedding, rows == columns,
      isInputMajor != (target.order == .inputMajor)
    {
      throw .storageOrder(
        adapter: path, module: module.name, saysInputMajor: isInputMajor)
    }
    let factor = member.weight * pair.scaling
    guard found < inputs else {
      return LowRankUpdate(
        adapter: adapter, module: module.name, pair: pair, factor: factor, group: 1, forward: nil)
    }
    guard !pair.isEmbedding else {
      throw .wrongShape(
        adapter: path, tensor: pair.a.name, shape: pair.a.shape, base: target.name,
        expected: "[\(pair.rank), \(inputs)]")
    }
    let group = inputs / found
    let pooling = try pooling(of: module, inputs: inputs, group: group)
    return LowRankUpdate(
      adapter: adapter, module: module.name, pair: pair,
      factor: factor * pooling.mergeFactor(inputs: inputs, group: group), group: group,
      forward: (pooling, factor))
  }

  private func pooling(
    of module: Adapter.Module, inputs: Int, group: Int
  ) throws(MergeError) -> PoolingConvention {
    if let configured = adapter.config.qaLoRAGroupSize {
      guard configured == group else {
        throw .groupSizeContradicts(
          adapter: path, module: module.name, found: group, configured: configured)
      }
      return .peft
    }
    guard let chosenPooling else {
      throw .ambiguousPooling(adapter: path, module: module.name, inputs: inputs, group: group)
    }
    return chosenPooling
  }
}
