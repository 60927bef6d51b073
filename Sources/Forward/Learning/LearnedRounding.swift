import Convert
import Formats
import Model
import Stats

/// Learns which of two codes each weight of a packed model is rounded to, layer by layer: what a layer computes with
/// its codes, from what the packed layers before it give, is brought to what the source's layer computes from the
/// source's own hidden states.
///
/// Arithmetic is that of `PlainProducts`: the same calibration gives the same codes on every processor, with any
/// number of threads. A layer whose error on all windows does not fall keeps its codes.
package struct LearnedRounding {
  private let source: ForwardModel
  private let model: ForwardModel
  private let packed: PackedCheckpoint
  private let batch: TokenBatch
  private let options: ForwardOptions

  /// Times that all windows are gone through.
  static let epochs = 3
  /// Of a code's width, by which places move at first; it falls to 0 in a line.
  static let rate = 0.01

  /// What became of one layer.
  package struct Layer: Sendable {
    /// Mean squared difference of what the layer gives from what the source's layer gives.
    package let before: Double
    package let after: Double
  }

  /// - Parameters:
  ///   - packed: made of `source`.
  ///   - tokens: of windows that have `length` tokens each.
  /// - Throws: `LearningError`; as `ForwardModel.init`.
  package init(
    _ source: ForwardModel, packed: PackedCheckpoint, tokens: [Int], windowLength length: Int,
    options: ForwardOptions = ForwardOptions()
  ) throws {
    let folds = Manifest.folds(of: packed.manifests)
    self.source =
      folds.isEmpty
      ? source : source.with(source.weights.folded(try Folding(folds, of: source.checkpoint)))
    self.packed = packed
    self.options = options
    model = try ForwardModel(packed.checkpoint)
    batch = TokenBatch(try WindowPlan(length: length).windows(of: tokens))
    for layer in source.description.layers {
      try TapedLayer.check(layer, of: source.description.modelType)
    }
  }

  /// Of progress.
  package var byteCount: Int { source.byteCount }

  /// - Throws: `LearningError.nothingToLearn`; `ForwardError.nonFinite`, `CancellationError`; `FileError`.
  package func run(_ context: RunContext) throws -> (codes: LearnedCodes, layers: [Layer]) {
    let codes = try LearnedCodes()
    let quiet = RunContext(threads: context.threads, cancellation: context.cancellation)
    let products = PlainProducts(threads: context.threads, cancellation: context.cancellation)
    let wanted = try ForwardPass(source, batch, options: options, quiet)
      .embedded(limit: options.hiddenLimit / 2)
    let given = try ForwardPass(model, batch, options: options, quiet)
      .embedded(limit: options.hiddenLimit / 2)
    var layers: [Layer] = []
    for layer in source.description.layers {
      let original = try TapedLayer(layer, in: source, products)
      try original.run(batch.windows, over: wanted)
      layers.append(
        try LayerLearning(
          original: original, learned: TapedLayer(layer, in: model, products),
          matrices: try matrices(of: layer), windows: batch.windows, seed: UInt64(layer.index)
        ).run(given: given, wanted: wanted, codes))
      context.progress(byteCount / source.description.layers.count)
    }
    guard !codes.names.isEmpty else {
      throw LearningError.nothingToLearn(path: packed.checkpoint.path)
    }
    return (codes, layers)
  }

  /// The packed tensors that are matrices of a layer as the source has them, with what is stored.
  private func matrices(of layer: LayerDescription) throws -> [LayerLearning.Packed] {
    try layer.linears.compactMap { linear in
      guard linear.place == nil, linear.order == .outputMajor,
        let tensor = packed.tensors.first(where: { $0.entry.name == model.stored(linear.weight) }),
        tensor.entry.origin == nil, tensor.entry.order == .outputMajor,
        let groups = try packed.groups(of: tensor)
      else { return nil }
      return LayerLearning.Packed(
        linear: linear, name: tensor.entry.name, layout: groups.layout, groups: groups.groups,
        decodedType: groups.type)
    }
  }
}
