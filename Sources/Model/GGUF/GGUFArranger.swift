import Formats

/// Finds, for each tensor of an architecture of llama.cpp, what of the source it is.
struct GGUFArranger {
  let architecture: GGUFArchitecture
  let description: DecoderDescription
  private(set) var items: [ArrangedItem] = []
  private let tensors: [ListedTensor]
  private let places: [String: Int]
  private let missingPrefix: String
  private let redundantHead: String?
  private var used = Set<Int>()

  init(
    _ architecture: GGUFArchitecture, _ description: DecoderDescription, tensors: [ListedTensor],
    redundantHead: String?
  ) {
    self.architecture = architecture
    self.description = description
    self.tensors = tensors
    self.redundantHead = redundantHead
    places = Dictionary(
      tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    missingPrefix = description.missingPrefix(in: tensors.lazy.map(\.name))
  }

  /// - Throws: `GGUFModelError` where tensors are missing, have other shapes, or have no place.
  mutating func arrange() throws(GGUFModelError) {
    try addEmbedding()
    for layer in description.layers { try add(layer) }
    try addEnd()
    try dropOthers()
  }

  // MARK: One tensor

  func stored(_ name: String) -> String { description.stored(name, without: missingPrefix) }

  private func place(of name: String, _ shape: [Int]) throws(GGUFModelError) -> Int {
    let name = stored(name)
    guard let place = places[name] else {
      throw .missingTensor(name, modelType: description.modelType)
    }
    guard tensors[place].shape == shape.map({ UInt64($0) }) else {
      throw .wrongShape(tensor: name, shape: tensors[place].shape, expected: shape)
    }
    return place
  }

  /// Adds a tensor that one of the source becomes.
  ///
  /// - Parameters:
  ///   - shape: that it must have in the source.
  ///   - made: that it has in the file; nil for its own, turned where it is input-major.
  ///   - origin: what is taken of it; nil for all.
  mutating func add(
    _ target: String, _ name: String, _ shape: [Int], order: MatrixOrder = .outputMajor,
    as made: [Int]? = nil, changes: [WeightChange] = [],
    of origin: ((TensorNameList, [UInt64]) -> TensorOrigin)? = nil
  ) throws(GGUFModelError) {
    let place = try place(of: name, shape)
    used.insert(place)
    let (names, stored) = (TensorNameList(tensors[place].name), tensors[place].shape)
    let all =
      origin?(names, stored)
      ?? TensorOrigin(names, shape: stored, order: order, changes: changes)
    items.append(
      .made(
        MadeTensor(
          name: target, shape: made?.map { UInt64($0) } ?? order.outputMajor(stored), origin: all),
        from: [place]))
  }

  /// Adds a tensor that several of one shape become, whose names differ in a number.
  mutating func add(
    _ target: String, stackOf count: Int, _ prefix: String, _ suffix: String, _ shape: [Int]
  ) throws(GGUFModelError) {
    let names = TensorNameList(prefix: stored(prefix), suffix: suffix, count: count)
    var places: [Int] = []
    for name in names.all { places.append(try place(of: name, shape)) }
    used.formUnion(places)
    items.append(
      .made(
        MadeTensor(
          name: target, shape: ([count] + shape).map { UInt64($0) },
          origin: TensorOrigin(names, shape: shape.map { UInt64($0) })), from: places))
  }

  /// Adds the weight and the bias of a linear layer.
  ///
  /// - Parameter rows: the order that its outputs get; nil for their own.
  mutating func add(
    _ target: String, _ linear: LinearDescription, rows: RowOrder? = nil,
    changes: [WeightChange] = []
  ) throws(GGUFModelError) {
    try add(
      target + ".weight", linear.weight, linear.weightShape, order: linear.order
    ) { names, shape in
      TensorOrigin(names, shape: shape, order: linear.order, rows: rows, changes: changes)
    }
    guard let bias = linear.bias else { return }
    try add(target + ".bias", bias, linear.biasShape) { names, shape in
      rows == nil
        ? TensorOrigin(names, shape: shape, changes: changes)
        // Each number is an output of its own.
        : TensorOrigin(
          names, shape: shape, order: .inputMajor, matrixRows: 1, rows: rows, changes: changes)
    }
  }

  /// Adds the factors and the summands of a norm.
  ///
  /// - Parameter shape: that they have in the file; nil for their own.
  mutating func add(
    _ target: String, _ norm: NormDescription, as shape: [Int]? = nil, changes: [WeightChange] = []
  ) throws(GGUFModelError) {
    let changes = (norm.kind == .rmsAboveOne ? [.add(1)] : []) + changes
    for (names, suffix, changes) in [
      (norm.weights, ".weight", changes), (norm.biases, ".bias", []),
    ] {
      if names.count == 1 {
        try add(target + suffix, names[0], norm.shape, as: shape, changes: changes)
      } else if let first = names.first, first.hasPrefix(norm.module + "0") {
        try add(
          target + suffix, stackOf: names.count, norm.module,
          String(first.dropFirst(norm.module.count + 1)), norm.shape)
      }
    }
  }

  // MARK: Beginning and end

  private mutating func addEmbedding() throws(GGUFModelError) {
    let embedding = description.embedding
    let shape = [description.vocabularySize, embedding.width]
    try add("token_embd.weight", embeddingName, shape)
    if let positions = embedding.positions {
      try add("position_embd.weight", positions.weight, [positions.rows, description.hiddenSize])
    }
    if let norm = embedding.norm { try add("token_embd_norm", norm) }
  }

  private func present(_ names: [String]) -> String? {
    names.first { places[stored($0)] != nil }
  }

  /// A tied model may be stored under either name.
  private var embeddingName: String {
    present(description.embedding.weights)
      ?? (description.head.mayBeTied ? present(description.head.weights) : nil)
      ?? description.embedding.weights[0]
  }

  private mutating func addEnd() throws(GGUFModelError) {
    if let norm = description.finalNorm { try add("output_norm", norm) }
    let head = description.head
    let shape = [description.vocabularySize, head.width]
    let own = present(head.weights).flatMap {
      stored($0) == redundantHead || $0 == embeddingName ? nil : $0
    }
    if own == nil, !head.mayBeTied {
      throw .missingTensor(stored(head.weights[0]), modelType: description.modelType)
    }
    switch architecture.head {
    case .required: try add("output.weight", own ?? embeddingName, shape)
    case .optional: if let own { try add("output.weight", own, shape) }
    case .forbidden:
      guard own == nil else {
        throw .notExpressible(
          "a head of its own", modelType: description.modelType, architecture: architecture.name)
      }
    }
    if let bias = head.bias { try add("output.bias", bias, [description.vocabularySize]) }
  }

  /// What is left of the source.
  private mutating func dropOthers() throws(GGUFModelError) {
    let prefix = stored(description.layerPrefix)
    for (place, tensor) in tensors.enumerated() where !used.contains(place) {
      let name = tensor.name
      if name == redundantHead {
        items.append(.drop(place, reason: "tied: equal to the embedding, which is stored once"))
      } else if DecoderDescription.isDerived(name) {
        items.append(.drop(place, reason: "worked out anew by llama.cpp"))
      } else if DecoderDescription.isScale(name) {
        items.append(.same(place))
      } else if name.hasPrefix(prefix),
        let layer = Int(name.dropFirst(prefix.count).prefix { $0 != "." }),
        layer >= description.layers.count
      {
        items.append(.drop(place, reason: "of a layer behind the last, for other uses"))
      } else {
        throw .noHome(tensor: name, architecture: architecture.name)
      }
    }
  }
}
