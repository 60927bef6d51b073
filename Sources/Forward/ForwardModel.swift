import Convert
import Formats
import Model

/// A model that can be run: its description, and its weights, which stay in their files.
package struct ForwardModel: Sendable {
  package let description: DecoderDescription
  private(set) var weights: ModelWeights
  /// What the names of this file lack at their beginning; empty where they are those of the description.
  private let missingPrefix: String
  /// The tensors of the embedding and of the head; one where it is tied.
  let embedding: String
  let head: String

  /// Opens a model and holds the shapes of all its weights against its configuration.
  ///
  /// - Parameter configuration: of a file that has none beside it; nil for the checkpoint's own.
  /// - Throws: `ArchitectureError`; `ForwardError` where weights are missing, of other shapes, or not used;
  ///   `ManifestError`, `PackedError`.
  package init(_ checkpoint: Checkpoint, configuration: JSONValue? = nil) throws {
    guard let config = configuration ?? checkpoint.configDocument?.json else {
      throw ArchitectureError.noConfiguration
    }
    let description = try DecoderDescription(config: config)
    let weights = try ModelWeights(checkpoint)
    let missingPrefix = description.missingPrefix(in: weights.names)
    let stored = { (name: String) in description.stored(name, without: missingPrefix) }
    let embedded = description.embedding.weights.map(stored).first(where: weights.has)
    let headed = description.head.weights.map(stored).first(where: weights.has)
    // A tied model may be stored under either name.
    guard let embedding = embedded ?? (description.head.mayBeTied ? headed : nil) else {
      throw ForwardError.missingTensor(
        description.embedding.weights[0], modelType: description.modelType)
    }
    guard let head = headed ?? (description.head.mayBeTied ? embedded : nil) else {
      throw ForwardError.noHead(description.head.weights)
    }
    self.description = description
    self.weights = weights
    self.missingPrefix = missingPrefix
    self.embedding = embedding
    self.head = head
    try checkTensors()
  }

  package var checkpoint: Checkpoint { weights.checkpoint }

  /// Of everything stored.
  package var byteCount: Int {
    weights.checkpoint.tensors.reduce(0) { $0 + $1.info.byteCount }
  }

  /// Tensors, with every matrix of a stack counted: of a stack of experts each is called with tokens of its
  /// own.
  var matrixCount: Int {
    weights.names.reduce(0) { sum, name in
      let shape = weights.shape(of: name) ?? []
      return sum + (shape.count > 2 ? shape[0] : 1)
    }
  }

  /// The same model, its weights read otherwise.
  ///
  /// - Parameter weights: of the same names and shapes.
  func with(_ weights: ModelWeights) -> ForwardModel {
    var model = self
    model.weights = weights
    return model
  }

  /// The name that the file has for a tensor or a module of the description.
  func stored(_ name: String) -> String { description.stored(name, without: missingPrefix) }

  /// - Throws: `ForwardError.missingTensor`; what `ModelWeights.source` throws.
  func source(_ name: String, order: MatrixOrder = .outputMajor) throws -> WeightSource {
    guard let source = try weights.source(stored(name), order: order) else {
      throw ForwardError.missingTensor(stored(name), modelType: description.modelType)
    }
    return source
  }

  /// All numbers of a small tensor, in their order.
  ///
  /// - Parameter range: those that are wanted; nil for all.
  func numbers(_ name: String, _ range: Range<Int>? = nil) throws -> [Float] {
    let source = try source(name)
    let range = range ?? 0..<source.shape.count
    let tile = WeightTile()
    var numbers: [Float] = []
    numbers.reserveCapacity(range.count)
    // Rows of one matrix at a time: some weights are only read so.
    let row = max(1, source.shape.inputs)
    let step = source.shape.outputs == 1 ? row : max(row, (1 << 18) / row * row)
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + step, source.matrixEnd(after: start / row) * row, range.upperBound)
      try source.read(start..<end, into: tile)
      numbers += tile.weights.prefix(end - start)
      start = end
    }
    return numbers
  }
}
