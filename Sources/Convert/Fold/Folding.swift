import Formats
import Model

/// A checkpoint whose channels are scaled: what becomes of the tensors that make and read them.
///
/// Factors are powers of two, by which numbers are multiplied without rounding. A norm whose stored weights are
/// what its factors exceed 1 by is the exception: its weights are rounded to their type, and what reads its
/// channels is multiplied by what the factors then are smaller by.
package struct Folding: Sendable {
  /// By the tensor's name in the checkpoint.
  private var elementScales: [String: ElementScales] = [:]
  /// What the inputs of linear layers are divided by, by the names of their weights.
  private(set) var inputFactors: [String: [Float]] = [:]
  private var folds: [(record: Manifest.Fold, tensors: Set<String>)] = []

  /// - Parameter records: of modules of the checkpoint, each once.
  /// - Throws: `FoldError`; as `ModelFolds`.
  package init(_ records: [Manifest.Fold], of checkpoint: Checkpoint) throws {
    let model = try ModelFolds(checkpoint)
    var left = Dictionary(
      records.map { ($0.module, $0) }, uniquingKeysWith: { first, _ in first })
    for layer in model.description.layers where !left.isEmpty {
      for fold in layer.folds {
        guard let record = left.removeValue(forKey: model.stored(fold.module)) else { continue }
        try add(fold, record, model)
      }
    }
    guard let rest = records.first(where: { left[$0.module] != nil }) else { return }
    throw FoldError.unknownModule(
      path: checkpoint.path, module: rest.module, modelType: model.description.modelType)
  }

  private mutating func add(
    _ fold: ChannelFold, _ record: Manifest.Fold, _ model: ModelFolds
  ) throws {
    guard record.exponents.count == fold.channelCount else {
      throw FoldError.wrongCount(
        path: model.checkpoint.path, module: record.module, count: record.exponents.count,
        expected: fold.channelCount)
    }
    var factors = record.exponents.map { Float(sign: .plus, exponent: $0, significand: 1) }
    let inverses = factors.map { 1 / $0 }
    var names = Set<String>()
    switch fold.producer {
    case .norm(let norm):
      var scales = ElementScales(columns: inverses)
      if norm.kind == .rmsAboveOne {
        (scales, factors) = try Self.aboveOne(norm, inverses, model)
      }
      for name in norm.weights + norm.biases {
        let tensor = try model.tensor(name, norm.shape)
        elementScales[tensor.name] = scales
        names.insert(tensor.name)
      }
    case .linear(let linear, let rows, let part):
      let outputs = Self.outputs(of: linear, rows, part, inverses)
      let tensor = try model.tensor(linear.weight, linear.weightShape)
      scale(tensor.name, linear.order, outputs: outputs)
      names.insert(tensor.name)
      if let bias = linear.bias {
        let tensor = try model.tensor(bias, linear.biasShape)
        elementScales[tensor.name] = ElementScales(columns: outputs)
        names.insert(tensor.name)
      }
    }
    let inputs = (0..<fold.readers[0].inputs).map { factors[fold.channel(ofInput: $0)] }
    for reader in fold.readers {
      let tensor = try model.tensor(reader.weight, reader.weightShape)
      scale(tensor.name, reader.order, inputs: inputs)
      inputFactors[tensor.name] = inputs
      names.insert(tensor.name)
    }
    folds.append((record, names))
  }

  private mutating func scale(
    _ name: String, _ order: MatrixOrder, outputs: [Float]? = nil, inputs: [Float]? = nil
  ) {
    var scales = elementScales[name] ?? ElementScales()
    let (rows, columns) = order == .outputMajor ? (outputs, inputs) : (inputs, outputs)
    if let rows { scales.rows = rows }
    if let columns { scales.columns = columns }
    elementScales[name] = scales
  }

  /// Of each output of a layer the factor of its channel; 1 for those of other parts.
  private static func outputs(
    of linear: LinearDescription, _ rows: FusedRows?, _ part: FusedRows.Part, _ channels: [Float]
  ) -> [Float] {
    var next = channels.makeIterator()
    return (0..<linear.outputs).map { row in
      guard let rows, rows.part(ofRow: row) != part else { return next.next() ?? 1 }
      return 1
    }
  }

  /// What scales a norm's weights, and what its channels then are smaller by.
  private static func aboveOne(
    _ norm: NormDescription, _ factors: [Float], _ model: ModelFolds
  ) throws -> (ElementScales, readers: [Float]) {
    let tensor = try model.tensor(norm.weights[0], norm.shape)
    let weights = try model.numbers(norm.weights[0], norm.shape)
    let type = ScaleType(tensor.dtype) ?? .f32
    var scales = ElementScales(columns: factors, aboveOne: type)
    var readers = factors
    for (channel, weight) in weights.enumerated() {
      let scaled = scales.scaled(weight, row: 0, column: channel)
      let ratio = Float((1 + Double(weight)) / (1 + Double(scaled)))
      // A channel that is 0, or would be.
      let isLost = !(ratio.isFinite && ratio > 0)
      readers[channel] = isLost ? 1 : ratio
      if isLost { scales.columns?[channel] = 1 }
    }
    return (scales, readers)
  }

  /// The tensors of the checkpoint as they are read scaled.
  func scaled(_ tensors: [SourceTensor]) -> [SourceTensor] { tensors.map(scaled) }

  func scaled(_ tensor: SourceTensor) -> SourceTensor {
    var tensor = tensor
    tensor.elementScales = elementScales[tensor.name]
    return tensor
  }

  /// E[x²] of the scaled inputs, given those of the inputs as they were.
  func scaled(meanSquares: [String: [Float]]) -> [String: [Float]] {
    var scaled = meanSquares
    for (name, squares) in meanSquares {
      guard let factors = inputFactors[name], factors.count == squares.count else { continue }
      scaled[name] = zip(squares, factors).map { $0 / ($1 * $1) }
    }
    return scaled
  }

  /// For a second reader of a tensor's elements.
  func factors(of tensor: String) -> (rows: [Float]?, columns: [Float]?) {
    (elementScales[tensor]?.rows, elementScales[tensor]?.columns)
  }

  /// The records that are about any of some tensors of the checkpoint.
  func records(of tensors: Set<String>) -> [Manifest.Fold] {
    folds.filter { !$0.tensors.isDisjoint(with: tensors) }.map(\.record)
  }
}
