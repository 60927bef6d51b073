/// Sorts an adapter's tensors by module and holds each to its place: names, shapes, ranks.
struct ModuleReader {
  private let file: SafetensorsFile
  private let config: AdapterConfig
  private let ranks: [ModulePattern]
  private let alphas: [ModulePattern]

  /// What stands before the names of the base model's modules.
  private var prefix: String { config.form == .mlx ? "" : "base_model.model." }
  /// Tables whose rows are entries, by the last part of their names: mlx-lm calls their factors as all others'.
  private static let embeddings: Set<String> = [
    "embed_tokens", "wte", "wpe", "word_embeddings", "embedding", "embeddings", "tok_embeddings",
    "embed_positions",
  ]

  /// What the end of a tensor's name makes it.
  private enum Part: String, CaseIterable {
    case a = ".lora_A.weight"
    case b = ".lora_B.weight"
    case pairBias = ".lora_B.bias"
    case embeddingA = ".lora_embedding_A"
    case embeddingB = ".lora_embedding_B"
    case magnitude = ".lora_magnitude_vector"
    case baseBias = ".base_layer.bias"
    case weight = ".weight"
    case bias = ".bias"
    case scales = ".scales"

    /// As people know it.
    func spelling(_ form: AdapterConfig.Form) -> String { String(ending(form)!.dropFirst()) }

    /// Nil for what there is none of in a form.
    func ending(_ form: AdapterConfig.Form) -> String? {
      switch (form, self) {
      case (.peft, _): rawValue
      case (.mlx, .a): ".lora_a"
      case (.mlx, .b): ".lora_b"
      case (.mlx, .magnitude): ".m"
      case (.mlx, _): nil
      }
    }
  }

  init(_ file: SafetensorsFile, _ config: AdapterConfig) throws {
    self.file = file
    self.config = config
    ranks = try config.rankPatterns.map { try ModulePattern($0, path: config.path) }
    alphas = try config.alphaPatterns.map { try ModulePattern($0, path: config.path) }
  }

  func modules() throws -> [Adapter.Module] {
    var parts: [String: [Part: TensorInfo]] = [:]
    for tensor in file.header.tensors {
      let (module, part) = try place(tensor)
      parts[module, default: [:]][part] = tensor
    }
    return try parts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
      try module($0.key, $0.value)
    }
  }

  private func place(_ tensor: TensorInfo) throws(AdapterError) -> (module: String, Part) {
    let unknown = AdapterError.unknownTensor(path: file.path, tensor: tensor.name)
    guard tensor.name.hasPrefix(prefix) else { throw unknown }
    let name = tensor.name.dropFirst(prefix.count)
    let found = Part.allCases.lazy.compactMap { part in
      part.ending(config.form).map { (part, $0) }
    }.first { name.hasSuffix($0.1) }
    guard let (named, ending) = found else { throw unknown }
    let module = String(name.dropLast(ending.count))
    let part = config.form == .mlx ? Self.part(named, of: module) : named
    // What is left must be a module: a piece of another method's name is none.
    guard !module.isEmpty, !module.contains(".lora_"), !module.hasSuffix(".base_layer") else {
      throw unknown
    }
    // Scales are what PEQA trains, and all that it trains.
    guard (part == .scales) == (config.method == .peqa) else { throw unknown }
    guard ScaleType(tensor.dtype) != nil || tensor.dtype == .f64 else {
      throw .notFloat(path: file.path, tensor: tensor.name, dtype: tensor.dtype)
    }
    return (module, part)
  }

  /// What a factor that mlx-lm stored is.
  private static func part(_ part: Part, of module: String) -> Part {
    guard let last = module.split(separator: ".").last, embeddings.contains(String(last)) else {
      return part
    }
    return part == .a ? .embeddingA : part == .b ? .embeddingB : part
  }

  private func module(
    _ name: String, _ parts: [Part: TensorInfo]
  ) throws(AdapterError) -> Adapter.Module {
    let linear = try halves(name, parts, .a, .b)
    let embedding = try halves(name, parts, .embeddingA, .embeddingB)
    if config.usesDoRA, embedding != nil {
      throw .unmergeable(path: config.path, member: "use_dora", value: "true for an embedding")
    }
    if !config.usesDoRA, parts[.magnitude] != nil {
      throw .badConfig(
        path: config.path, place: "use_dora",
        expected: "true: module '\(name)' has a magnitude vector")
    }
    for part in [Part.magnitude, .pairBias] where linear == nil && parts[part] != nil {
      throw .missingHalf(
        path: file.path, module: name, present: part.spelling(config.form),
        missing: Part.a.spelling(config.form))
    }
    if linear != nil, let second = parts[.embeddingA] {
      throw .unknownTensor(path: file.path, tensor: second.name)
    }
    var pair: Adapter.Pair?
    if let (a, b) = linear ?? embedding {
      pair = try self.pair(name, a, b, isEmbedding: embedding != nil, parts)
    }
    if config.usesDoRA, linear != nil, parts[.magnitude] == nil {
      throw .missingHalf(
        path: file.path, module: name, present: "a DoRA pair",
        missing: Part.magnitude.spelling(config.form))
    }
    return Adapter.Module(
      name: name, pair: pair, weight: parts[.weight], bias: parts[.baseBias] ?? parts[.bias],
      scales: parts[.scales])
  }

  private func halves(
    _ module: String, _ parts: [Part: TensorInfo], _ first: Part, _ second: Part
  ) throws(AdapterError) -> (TensorInfo, TensorInfo)? {
    switch (parts[first], parts[second]) {
    case (let a?, let b?): return (a, b)
    case (nil, nil): return nil
    case (let a, _):
      let (present, missing) = a == nil ? (second, first) : (first, second)
      throw .missingHalf(
        path: file.path, module: module, present: present.spelling(config.form),
        missing: missing.spelling(config.form))
    }
  }

  private func pair(
    _ module: String, _ a: TensorInfo, _ b: TensorInfo, isEmbedding: Bool,
    _ parts: [Part: TensorInfo]
  ) throws(AdapterError) -> Adapter.Pair {
    let isTransposed = config.form == .mlx
    let shapes =
      isTransposed
      ? ["[inputs, rank]", "[rank, outputs]"] : ["[rank, inputs]", "[outputs, rank]"]
    for (tensor, expected) in zip([a, b], shapes) {
      guard tensor.shape.count == 2, !tensor.shape.contains(0) else {
        throw .wrongShape(
          path: file.path, tensor: tensor.name, shape: tensor.shape, expected: expected)
      }
    }
    let (a, b) = (
      Adapter.Factor(tensor: a, isTransposed: isTransposed),
      Adapter.Factor(tensor: b, isTransposed: isTransposed)
    )
    let configured = Int(ranks.first { $0.matches(module) }?.value ?? Double(config.rank))
    let alpha = alphas.first { $0.matches(module) }?.value ?? config.alpha
    for (tensor, rank, other) in [(a, a.shape[0], a.shape[1]), (b, b.shape[1], b.shape[0])]
    where rank != UInt64(configured) {
      guard other != UInt64(configured) else {
        throw .transposed(
          path: file.path, tensor: tensor.name, shape: tensor.tensor.shape,
          expected: tensor.tensor.shape.reversed())
      }
      throw .wrongRank(path: file.path, module: module, found: rank, configured: configured)
    }
    for part in [Part.magnitude, .pairBias] {
      if let tensor = parts[part], tensor.shape != [b.shape[0]] {
        throw .wrongShape(
          path: file.path, tensor: tensor.name, shape: tensor.shape, expected: "[\(b.shape[0])]")
      }
    }
    return Adapter.Pair(
      a: a, b: b, isEmbedding: isEmbedding, rank: configured, alpha: alpha,
      scaling: config.scaling(rank: configured, alpha: alpha), magnitude: parts[.magnitude],
      bias: parts[.pairBias])
  }
}
