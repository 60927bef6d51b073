import Formats

/// What mlx-lm calls the tensors of a checkpoint, and how it lays out what it would not take as the
/// source has it.
///
/// mlx-lm's own conversion writes these names and shapes, so that every loader that reads what it
/// writes, mlx-swift-lm's too, reads these.
package struct MLXArrangement: Sendable {
  /// A tensor of the source.
  package struct Source: Sendable {
    package let name: String
    package let dtype: DType
    package let shape: [UInt64]
    package let order: MatrixOrder
    /// Whether it is packed already: such weights are read output by output only.
    package let isPacked: Bool
    /// Whether it is one that was made for mlx-lm.
    package let isMade: Bool

    package init(
      name: String, dtype: DType, shape: [UInt64], order: MatrixOrder, isPacked: Bool = false,
      isMade: Bool = false
    ) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
      self.order = order
      self.isPacked = isPacked
      self.isMade = isMade
    }
  }

  /// A tensor that is made of some of the source.
  package struct Made: Sendable, Equatable {
    package let name: String
    /// As MLX has it: `[out, in]`, or `[matrices, out, in]`, and any other shape as it is.
    package let shape: [UInt64]
    package let origin: TensorOrigin
    /// Whether its changes are for packed weights alone.
    package let changesWhenPacked: Bool

    package init(
      name: String, shape: [UInt64], origin: TensorOrigin, changesWhenPacked: Bool = false
    ) {
      self.name = name
      self.shape = shape
      self.origin = origin
      self.changesWhenPacked = changesWhenPacked
    }
  }

  /// What becomes of a tensor.
  package enum Item: Sendable, Equatable {
    /// The tensor at this place of the source, under its own name.
    case same(Int)
    /// A tensor that is made of those at these places.
    case made(Made, from: [Int])
    case keep(Int, reason: String)
    case drop(Int, reason: String)
  }

  /// In the order of the source, each where its first tensor stands.
  package let items: [Item]

  /// Whether any rule may hold for a checkpoint; without one, everything stays what it is.
  package static func knows(_ config: ModelConfig?) -> Bool {
    config.map { !MLXFamily.of($0).isEmpty } ?? false
  }

  package init(config: ModelConfig?, tensors: [Source]) {
    let rules = MLXFamily.rules(for: config, tensors)
    guard !rules.isEmpty else {
      items = tensors.indices.map { .same($0) }
      return
    }
    let maker = MLXArranger(rules: rules, config: config)
    var stacks = StackedNames()
    var items: [Item?] = []
    for (place, tensor) in tensors.enumerated() {
      // Of nothing, nothing can be made.
      if tensor.shape.contains(0) {
        items.append(.same(place))
        continue
      }
      switch maker.outcome(of: tensor) {
      case .made(let made):
        items += made.map { made in
          made.name == tensor.name && made.shape == tensor.order.outputMajor(tensor.shape)
            && made.origin.isWhole ? .same(place) : .made(made, from: [place])
        }
      case .stacked(let part):
        // Where the first part stands, the whole will.
        if stacks.add(part, tensor, at: place) { items.append(nil) }
      case .keep(let reason): items.append(.keep(place, reason: reason))
      case .drop(let reason): items.append(.drop(place, reason: reason))
      }
    }
    let whole = stacks.items(tensors)
    var next = 0
    self.items = items.flatMap { item -> [Item] in
      if let item { return [item] }
      defer { next += 1 }
      return whole[next]
    }
  }
}

extension MLXFamily {
  /// The rules for a checkpoint; none where its names and numbers are those of MLX.
  static func rules(
    for config: ModelConfig?, _ tensors: [MLXArrangement.Source]
  ) -> [MLXRule] {
    guard let config else { return [] }
    return of(config).filter { $0.condition.holds(config, tensors) }.flatMap(\.rules)
  }

  /// Those of a configuration's types, whatever their conditions.
  static func of(_ config: ModelConfig) -> [MLXFamily] {
    let types = Set([config.modelType, config.family].compactMap(\.self))
    return all.filter { !$0.types.isDisjoint(with: types) }
  }
}

extension MLXFamily.Condition {
  fileprivate func holds(_ config: ModelConfig, _ tensors: [MLXArrangement.Source]) -> Bool {
    func first(_ path: PathPattern) -> MLXArrangement.Source? {
      tensors.first { tensor in
        path.match(.init(tensor.name)).map { $0.leaf != "bias" } ?? false
      }
    }
    switch self {
    case .always: return true
    case .present(let path): return first(path) != nil
    case .absent(let path): return first(path) == nil
    case .unturned(let path):
      guard let shape = first(path)?.shape, shape.count == 3 else { return false }
      return shape[2] > shape[1]
    case .flag(let name): return config.fact(name)?.boolValue == true
    }
  }
}
