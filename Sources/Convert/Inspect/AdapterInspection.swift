import Formats

/// What is in an adapter, module by module, from the header and the configuration alone.
package struct AdapterInspection: Sendable {
  package enum Kind: String, Sendable {
    case lora
    case dora
    case qalora
    /// The scales of a packed weight.
    case peqa
    /// Only whole tensors, no low-rank pair.
    case replaced
  }

  package struct Module: Sendable {
    package let name: String
    package let kind: Kind
    package let rank: Int?
    package let alpha: Double?
    package let scaling: Double?
    /// Inputs that are pooled into one; 1 where none are; nil where only the base can tell.
    package let groupSize: Int?
    package let parameterCount: Int
  }

  package let adapter: Adapter
  package let modules: [Module]
  /// PEFT's, where the configuration names it; nil where pooled inputs leave the choice open.
  package let pooling: PoolingConvention?

  package var isPooled: Bool { modules.contains { $0.kind == .qalora } }

  package init(_ adapter: Adapter) {
    self.adapter = adapter
    let pairs = Dictionary(
      adapter.modules.compactMap { module in module.pair.map { (module.name, $0) } },
      uniquingKeysWith: { first, _ in first })
    let sizes = Self.groupSizes(pairs)
    // PEFT pools every layer of an adapter alike; float layers of it not at all.
    let whole = Set(sizes.values).count == 1 ? sizes.first?.value : nil
    modules = adapter.modules.map { module in
      let replaced = [module.weight, module.bias, module.scales].compactMap(\.self)
      let replacedCount = replaced.reduce(0) { $0 + $1.elementCount }
      guard let pair = module.pair else {
        return Module(
          name: module.name, kind: module.scales == nil ? .replaced : .peqa, rank: nil, alpha: nil,
          scaling: nil, groupSize: nil,
          parameterCount: replacedCount)
      }
      let group =
        pair.isEmbedding ? 1 : sizes[module.name] ?? whole ?? adapter.config.qaLoRAGroupSize
      let tensors = [pair.a.tensor, pair.b.tensor, pair.magnitude, pair.bias].compactMap(\.self)
      return Module(
        name: module.name,
        kind: pair.magnitude != nil ? .dora : (group ?? 1) > 1 ? .qalora : .lora,
        rank: pair.rank, alpha: pair.alpha, scaling: pair.scaling, groupSize: group,
        parameterCount: tensors.reduce(replacedCount) { $0 + $1.elementCount })
    }
    pooling = adapter.config.qaLoRAGroupSize == nil ? nil : .peft
  }

  /// Group sizes that follow from the adapter itself: the inputs of some layers are the outputs of
  /// others, so A has fewer columns there than B has rows where inputs are pooled.
  private static func groupSizes(_ pairs: [String: Adapter.Pair]) -> [String: Int] {
    var sizes: [String: Int] = [:]
    for (name, pair) in pairs {
      for (reader, writer) in [("o_proj", "q_proj"), ("down_proj", "up_proj")]
      where name.hasSuffix("." + reader) {
        guard let other = pairs[name.dropLast(reader.count) + writer], !pair.isEmbedding else {
          continue
        }
        let (outputs, columns) = (other.b.dimensions[0], pair.a.dimensions[1])
        if outputs % columns == 0 { sizes[name] = outputs / columns }
      }
    }
    return sizes
  }
}
