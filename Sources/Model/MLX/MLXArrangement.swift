import Formats

/// What mlx-lm calls the tensors of a checkpoint, and how it lays out what it would not take as the
/// source has it.
///
/// mlx-lm's own conversion writes these names and shapes, so that every loader that reads what it
/// writes, mlx-swift-lm's too, reads these.
package struct MLXArrangement: Sendable {
  /// In the order of the source, each where its first tensor stands.
  package let items: [ArrangedItem]

  /// Whether any rule may hold for a checkpoint; without one, everything stays what it is.
  package static func knows(_ config: ModelConfig?) -> Bool {
    config.map { !MLXFamily.of($0).isEmpty } ?? false
  }

  package init(config: ModelConfig?, tensors: [ListedTensor]) {
    let rules = MLXFamily.rules(for: config, tensors)
    guard !rules.isEmpty else {
      items = tensors.indices.map { .same($0) }
      return
    }
    let maker = MLXArranger(rules: rules, config: config)
    var stacks = StackedNames()
    var items: [ArrangedItem?] = []
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
    self.items = items.flatMap { item -> [ArrangedItem] in
      if let item { return [item] }
      defer { next += 1 }
      return whole[next]
    }
  }
}

extension MLXFamily {
  /// The rules for a checkpoint; none where its names and numbers are those of MLX.
  static func rules(
    for config: ModelConfig?, _ tensors: [ListedTensor]
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
  fileprivate func holds(_ config: ModelConfig, _ tensors: [ListedTensor]) -> Bool {
    func first(_ path: PathPattern) -> ListedTensor? {
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
