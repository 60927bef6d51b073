import Formats

/// Applies a family's rules to one tensor after the other.
struct MLXArranger {
  enum Outcome {
    case made([MadeTensor])
    case stacked(StackedNames.Part)
    case keep(reason: String)
    case drop(reason: String)
  }

  private let rules: [MLXRule]
  private let config: ModelConfig?

  init(rules: [MLXRule], config: ModelConfig?) {
    self.rules = rules
    self.config = config
  }

  func outcome(of tensor: ListedTensor) -> Outcome {
    for case .drop(let beginning, let reason) in rules where tensor.name.hasPrefix(beginning) {
      return .drop(reason: reason)
    }
    let name = PathPattern.Name(renamed(tensor.name))
    for case .keep(let path, let reason) in rules where path.match(name) != nil {
      return .keep(reason: reason)
    }
    let (changes, whenPacked) = tensor.isMade ? ([], false) : changes(name)
    if let part = part(name, tensor, changes) { return .stacked(part) }
    var made = pieces(name, tensor) ?? [whole(name.text, tensor)]
    for index in made.indices {
      made[index] = .init(
        name: made[index].name, shape: made[index].shape,
        origin: made[index].origin.adding(changes), changesWhenPacked: whenPacked)
    }
    return .made(made)
  }

  private func renamed(_ name: String) -> String {
    for case .prefix(let old, let new) in rules where name.hasPrefix(old) {
      // What begins so already is the loader's own name.
      if !new.hasPrefix(old), name.hasPrefix(new) { return name }
      return new + name.dropFirst(old.count)
    }
    return name
  }

  /// Under another name, or none.
  private func whole(
    _ name: String, _ tensor: ListedTensor
  ) -> MadeTensor {
    .init(
      name: name, shape: tensor.order.outputMajor(tensor.shape),
      origin: TensorOrigin(
        TensorNameList(tensor.name), shape: tensor.shape, order: tensor.order))
  }

  private func part(
    _ name: PathPattern.Name, _ tensor: ListedTensor, _ changes: [WeightChange]
  ) -> StackedNames.Part? {
    for case .stack(let path, let target) in rules {
      guard let match = path.match(name), let index = match.index else { continue }
      // The source's name has the same end.
      let after = path.end + [match.leaf].compactMap(\.self)
      let suffix = "." + after.joined(separator: ".")
      let prefix = tensor.name.dropLast("\(index)".count + suffix.count)
      guard "\(prefix)\(index)\(suffix)" == tensor.name else { return nil }
      return .init(
        name: match.name(target), prefix: String(prefix), suffix: suffix, index: index,
        changes: changes)
    }
    return nil
  }

  private func pieces(
    _ name: PathPattern.Name, _ tensor: ListedTensor
  ) -> [MadeTensor]? {
    for rule in rules {
      switch rule {
      case .split(let path, let targets, let cut):
        if let match = path.match(name) {
          // What has its final name may end like the first.
          if cut == .whole, match.leaf != nil,
            PathPattern(stringLiteral: targets[0]).match(name) != nil
          {
            return nil
          }
          return split(tensor, match, into: targets, cut)
        }
      case .apart(let path, let target, let count, let rows):
        if let match = path.match(name) {
          return apart(tensor, match, to: target, count, rows)
        }
      case .heads(let path, let keys, let values):
        if let match = path.match(name) {
          return heads(tensor, match, keys: keys, values: values)
        }
      case .turnedConvolution(let path):
        if path.match(name)?.leaf == "weight", tensor.shape.count == 3,
          tensor.shape[1] == 1, tensor.shape[2] > 1
        {
          return [
            .init(
              name: name.text, shape: [tensor.shape[0], tensor.shape[2], 1],
              origin: TensorOrigin(TensorNameList(tensor.name), shape: tensor.shape))
          ]
        }
      case .prefix, .stack, .change, .keep, .drop: continue
      }
    }
    return nil
  }

  private func split(
    _ tensor: ListedTensor, _ match: PathPattern.Match, into targets: [String],
    _ cut: MLXRule.Cut
  ) -> [MadeTensor]? {
    // A target with a leaf of its own is a vector for each matrix.
    let isVector = targets[0].hasSuffix(".bias")
    func name(_ target: String) -> String {
      isVector ? match.name(target) : match.name(target, leaf: "weight")
    }
    let turned = tensor.order.outputMajor(tensor.shape)
    let outputs = Int(clamping: turned[max(0, turned.count - (isVector ? 1 : 2))])
    guard turned.count >= 2, outputs >= targets.count, outputs % targets.count == 0 else {
      return nil
    }
    guard cut != .whole else { return [whole(name(targets[0]), tensor)] }
    let count = outputs / targets.count
    return targets.enumerated().map { index, target in
      var shape = turned
      shape[turned.count - (isVector ? 1 : 2)] = UInt64(count)
      return .init(
        name: name(target), shape: shape,
        origin: TensorOrigin(
          TensorNameList(tensor.name), shape: tensor.shape,
          order: isVector ? .inputMajor : tensor.order, matrixRows: isVector ? 1 : nil,
          outputs: cut == .halves
            ? .init(first: index * count, count: count)
            : .init(first: index, count: count, step: targets.count)))
    }
  }

  private func apart(
    _ tensor: ListedTensor, _ match: PathPattern.Match, to target: String,
    _ member: MLXRule.MatrixCount, _ rowsAre: MLXRule.RowsAre
  ) -> [MadeTensor]? {
    let value = config?.fact(member.member)
    guard !tensor.isPacked, tensor.shape.count == 2,
      let count = (member.inner.map { value?[$0] } ?? value)?.intValue, count > 0
    else { return nil }
    let (rows, columns) = (Int(clamping: tensor.shape[0]), Int(clamping: tensor.shape[1]))
    guard rows >= count, rows % count == 0 else { return nil }
    let order: MatrixOrder = rowsAre == .inputs ? .inputMajor : .outputMajor
    let shape = order.outputMajor([UInt64(rows / count), UInt64(columns)])
    return (0..<count).map { index in
      .init(
        name: match.name(target, index: index, leaf: "weight"), shape: shape,
        origin: TensorOrigin(
          TensorNameList(tensor.name), shape: tensor.shape, order: order,
          matrixRows: rows / count, matrices: index..<index + 1))
    }
  }

  private func heads(
    _ tensor: ListedTensor, _ match: PathPattern.Match, keys: String, values: String
  ) -> [MadeTensor]? {
    guard !tensor.isPacked, match.leaf == "weight", tensor.shape.count == 2,
      let keyCount = config?.positive("qk_nope_head_dim", "head_dim"),
      let valueCount = config?.positive("v_head_dim", "head_dim")
    else { return nil }
    let (rows, rank) = (Int(clamping: tensor.shape[0]), tensor.shape[1])
    let perHead = keyCount + valueCount
    guard rows >= perHead, rows % perHead == 0 else { return nil }
    let heads = UInt64(rows / perHead)
    return [
      .init(
        name: match.name(keys), shape: [heads, rank, UInt64(keyCount)],
        origin: TensorOrigin(
          TensorNameList(tensor.name), shape: tensor.shape, order: .inputMajor,
          matrixRows: perHead, inputs: 0..<keyCount)),
      .init(
        name: match.name(values), shape: [heads, UInt64(valueCount), rank],
        origin: TensorOrigin(
          TensorNameList(tensor.name), shape: tensor.shape, matrixRows: perHead,
          outputs: .init(first: keyCount, count: valueCount))),
    ]
  }
}

// Numbers.
extension MLXArranger {
  private func changes(_ name: PathPattern.Name) -> (changes: [WeightChange], whenPacked: Bool) {
    for case .change(let path, let change) in rules {
      guard path.match(name)?.leaf == "weight" else { continue }
      switch change {
      case .add(let value): return ([.add(value)], false)
      case .multiply(let members):
        let factors = members.compactMap(factor)
        guard factors.count == members.count else { return ([], false) }
        let product = factors.reduce(1, *)
        return (product == 1 ? [] : [.multiply(product)], false)
      case .multiplyParts: return (stateSpaceFactors().map { [.multiplyRows($0)] } ?? [], false)
      // As mlx-lm has it: what is added keeps a row of zeros from becoming NaN.
      case .normalizeRows: return ([.normalizeRows(epsilon: 1e-7)], true)
      }
    }
    return ([], false)
  }

  private func factor(_ member: String) -> Double? {
    let parts = member.split(separator: ".")
    let value = config?.fact(String(parts[0]))
    let number =
      parts.count == 1 ? value?.doubleValue : Int(parts[1]).flatMap { value?.doubles?[safe: $0] }
    return number.flatMap { Self.canBeTakenBack($0) ? $0 : nil }
  }

  /// Whether `Float` weights that are multiplied with it can be divided by it again.
  private static func canBeTakenBack(_ factor: Double) -> Bool {
    Float(factor).isNormal && Float(1 / factor).isNormal
  }

  /// Falcon-H1: what the gate, the inputs, B, C and the steps are multiplied with, in this order.
  private func stateSpaceFactors() -> [WeightChange.RowFactor]? {
    guard let whole = factor("ssm_in_multiplier"),
      let factors = config?.fact("ssm_multipliers")?.doubles, factors.count == 5,
      factors.allSatisfy({ Self.canBeTakenBack(whole * $0) }),
      let inner = config?.positive("mamba_d_ssm"), let groups = config?.positive("mamba_n_groups"),
      let state = config?.positive("mamba_d_state"), let heads = config?.positive("mamba_n_heads"),
      groups < 1 << 20, state < 1 << 20
    else { return nil }
    return zip([inner, inner, groups * state, groups * state, heads], factors).map {
      .init(count: $0, factor: whole * $1)
    }
  }
}

extension JSONValue {
  fileprivate var doubles: [Double]? { arrayValue?.map { $0.doubleValue ?? .nan } }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}

extension TensorOrigin {
  fileprivate func adding(_ more: [WeightChange]) -> TensorOrigin {
    var origin = self
    origin.changes += more
    return origin
  }
}
