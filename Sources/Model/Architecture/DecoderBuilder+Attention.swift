import Formats

extension DecoderBuilder {
  static let largestHeadCount = 1 << 10
  static let largestHeadWidth = 1 << 14

  mutating func attention(
    _ prefix: String, layer: Int, of layerCount: Int
  ) throws(ArchitectureError) -> AttentionDescription {
    let heads = try heads()
    let window = try window(layer: layer, of: layerCount, isRotated: isRotated(layer, layerCount))
    var rotary: RotaryDescription?
    if try isRotated(layer, layerCount) {
      rotary = try rotaryParameters(ofWindow: window != nil).description(
        headWidth: heads.width, pairing: family.rotary.pairing)
    }
    var bias: LinearBias?
    if case .linearBias(let form) = family.positions { bias = LinearBias(form: form) }
    let norms = try queryKeyNorms(prefix, heads)
    return AttentionDescription(
      projection: try projection(prefix, heads),
      output: linear(
        prefix + family.output, bias: try config.flag(family.outputBias),
        heads.count * heads.valueWidth, hiddenSize),
      heads: heads, queryNorm: norms?.query, keyNorm: norms?.key, rotary: rotary, bias: bias,
      scoring: AttentionScoring(
        scale: try scale(heads, layer: layer), cap: try cap(family.attentionCap), window: window,
        sinks: family.sinks.map { prefix + $0 }))
  }

  mutating func headCount() throws(ArchitectureError) -> Int {
    try config.size(family.headCount, limit: Self.largestHeadCount)
  }

  private mutating func heads() throws(ArchitectureError) -> AttentionHeads {
    let count = try headCount()
    let keyValueCount: Int
    switch family.keyValueHeads {
    case .asQueries: keyValueCount = count
    case .one: keyValueCount = 1
    case .listed(let keys, let absent):
      if case .absent = config.find(keys) {
        keyValueCount = absent ?? count
      } else {
        keyValueCount =
          try config.sizeIfPresent(keys, limit: Self.largestHeadCount) ?? count
      }
      guard count % keyValueCount == 0 else {
        throw .badValue(
          key: keys[0], value: "\(keyValueCount)", expected: "a divisor of \(count) heads")
      }
    }
    let width: Int
    if let given = try config.sizeIfPresent(family.headWidth.keys, limit: Self.largestHeadWidth) {
      width = given
    } else if case .absent = config.find(family.headWidth.keys),
      let absent = family.headWidth.absent
    {
      width = absent
    } else {
      guard hiddenSize % count == 0, hiddenSize / count <= Self.largestHeadWidth else {
        throw .badValue(
          key: family.headCount[0], value: "\(count)", expected: "a divisor of \(hiddenSize)")
      }
      width = hiddenSize / count
    }
    return AttentionHeads(
      count: count, keyValueCount: keyValueCount, width: width, valueWidth: width)
  }

  private mutating func projection(
    _ prefix: String, _ heads: AttentionHeads
  ) throws(ArchitectureError) -> AttentionDescription.Projection {
    let bias = try config.flag(family.projectionBias)
    let (queries, keys) = (heads.count * heads.width, heads.keyValueCount * heads.width)
    switch family.projection {
    case .separate(let query, let key, let value):
      return .separate(
        query: linear(prefix + query, bias: bias, hiddenSize, queries),
        key: linear(prefix + key, bias: bias, hiddenSize, keys),
        value: linear(prefix + value, bias: bias, hiddenSize, keys))
    case .fused(let name, let order):
      let rowCount = queries + 2 * keys
      let rows =
        switch order {
        case .contiguous:
          FusedRows([.init(.q, queries), .init(.k, keys), .init(.v, keys)], rowCount: rowCount)
        case .grouped:
          FusedRows(
            [
              .init(.q, heads.count / heads.keyValueCount * heads.width), .init(.k, heads.width),
              .init(.v, heads.width),
            ], repeats: heads.keyValueCount, rowCount: rowCount)
        }
      // The runs are those that the count is made of.
      return .fused(linear(prefix + name, bias: bias, hiddenSize, rowCount), rows!)
    }
  }

  private mutating func queryKeyNorms(
    _ prefix: String, _ heads: AttentionHeads
  ) throws(ArchitectureError) -> (query: NormDescription, key: NormDescription)? {
    guard let names = family.queryKeyNorm, try config.flag(names.isThere) else { return nil }
    func norm(_ name: String, _ count: Int) -> NormDescription {
      let (module, width) = (prefix + name, heads.width)
      let modules =
        names.form == .headsOfTheirOwn ? (0..<count).map { "\(module)\($0)" } : [module]
      let shape =
        switch names.form {
        case .head, .headsOfTheirOwn: [width]
        case .headsOfOneTensor: [count, width]
        case .all: [count * width]
        }
      return NormDescription(
        kind: family.norm, module: module, weights: modules.map { $0 + ".weight" },
        biases: names.hasBias && normBiases ? modules.map { $0 + ".bias" } : [], shape: shape,
        epsilon: epsilon, features: count * width,
        groupSize: names.form == .all ? count * width : width)
    }
    return (norm(names.query, heads.count), norm(names.key, heads.keyValueCount))
  }

  private mutating func scale(
    _ heads: AttentionHeads, layer: Int
  ) throws(ArchitectureError) -> Float {
    let scale: Double =
      switch family.scale {
      case .inverseRootOfWidth: 1 / Double(heads.width).squareRoot()
      case .inverseRoot(let fact):
        1 / (try config.positive(fact.keys, absent: fact.absent)).squareRoot()
      case .factor(let fact): try config.number(fact.keys, absent: fact.absent)
      }
    return Float(family.dividesScaleByLayer ? scale / Double(layer + 1) : scale)
  }
}
