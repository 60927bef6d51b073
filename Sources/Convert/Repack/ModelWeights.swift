import Formats
import Model

/// The weights of a model under the names and in the shapes that its source has for them, whether they are
/// plain, packed, or arranged for a runtime.
package struct ModelWeights: Sendable {
  private enum Holder: Sendable {
    case stored(SourceTensor)
    case restored(RestoredTensor)
  }

  package let checkpoint: Checkpoint
  private let packed: PackedCheckpoint?
  private var holders: [String: Holder]
  /// Scales of 8-bit floats, which belong to weights, among others.
  private let stored: [String: Checkpoint.Tensor]
  /// How the weights of these names are quantized as they are read.
  private var quantizers: [String: FakeQuantizedWeights] = [:]

  /// - Throws: `ManifestError`, `PackedError` where packed tensors are not what they should be.
  package init(_ checkpoint: Checkpoint) throws {
    self.checkpoint = checkpoint
    packed = try PackedCheckpoint(ifPacked: checkpoint)?.withStackOrigins
    var holders: [String: Holder] = [:]
    let made = Set((packed?.tensors ?? []).filter { $0.entry.origin != nil }.map(\.entry.name))
    for tensor in try checkpoint.sourceTensors()
    where tensor.origin == nil && !made.contains(tensor.name) {
      holders[tensor.name] = .stored(tensor)
    }
    if let packed {
      for tensor in try RestoredTensor.all(of: packed) { holders[tensor.name] = .restored(tensor) }
    }
    self.holders = holders
    stored = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package var names: some Collection<String> { holders.keys }

  package func has(_ name: String) -> Bool { holders[name] != nil }

  /// As the source stores it; nil where there is no such tensor.
  package func shape(of name: String) -> [Int]? {
    switch holders[name] {
    case .stored(let tensor): tensor.dimensions
    case .restored(let tensor): tensor.shape.map { Int(clamping: $0) }
    case nil: nil
    }
  }

  /// The type of its elements; of a packed tensor, that of its weights before or after packing. Nil where there is
  /// no such tensor.
  package func dtype(of name: String) -> DType? {
    switch holders[name] {
    case .stored(let tensor): tensor.dtype
    case .restored(let tensor): tensor.parts[0].tensor.entry.sourceDType
    case nil: nil
    }
  }

  /// The same weights, of which some are read as a conversion would leave them: fake quantization. Scales have
  /// the type that a conversion gives them.
  ///
  /// - Parameters:
  ///   - layouts: by name; their group sizes divide the tensors' inputs.
  ///   - meanSquares: E[x²] of the inputs by name, for a search; where they are not known, all inputs count
  ///     alike.
  package func fakeQuantized(
    _ layouts: [String: AffineLayout], method: QuantizationMethod = .minmax,
    meanSquares: [String: [Float]] = [:]
  ) -> ModelWeights {
    var weights = self
    for (name, layout) in layouts {
      guard let dtype = dtype(of: name) else { continue }
      weights.quantizers[name] = FakeQuantizedWeights(
        quantizer: WeightQuantizer(
          layout: layout, scaleType: ScaleType(ofWeights: dtype, in: checkpoint), method: method),
        importance: meanSquares[name].flatMap { ChannelImportance.measured(meanSquares: $0) })
    }
    return weights
  }

  /// The same weights, of which channels are scaled.
  ///
  /// - Parameter folding: of the checkpoint, which then is not packed.
  package func folded(_ folding: Folding) -> ModelWeights {
    var weights = self
    for case (let name, .stored(let tensor)) in holders {
      weights.holders[name] = .stored(folding.scaled(tensor))
    }
    return weights
  }

  /// The weights of a tensor, output-major; nil where there is none of the name.
  ///
  /// - Parameter order: how the source stores its matrices.
  /// - Throws: `PackedError.originIncomplete` where the parts of an arranged tensor cannot be put together
  ///   in that order; `SourceError.scaleMissing`, `.scaleMismatch`; `FileError`.
  package func source(_ name: String, order: MatrixOrder = .outputMajor) throws -> WeightSource? {
    var source = try plainSource(name, order)
    if let quantizer = quantizers[name] { source?.transforms.append(quantizer) }
    return source
  }

  private func plainSource(_ name: String, _ order: MatrixOrder) throws -> WeightSource? {
    switch holders[name] {
    case .stored(let tensor):
      return WeightSource(
        name: name, file: checkpoint.fileName(of: tensor),
        storage: tensor.storage(
          in: checkpoint, scales: [try scale(of: tensor, order)], turning: order))
    case .restored(let tensor):
      return try packed.map { try restored(tensor, in: $0, order) }
    case nil: return nil
    }
  }

  private func restored(
    _ tensor: RestoredTensor, in packed: PackedCheckpoint, _ order: MatrixOrder
  ) throws -> WeightSource {
    let first = tensor.parts[0].tensor
    // Of matrices of one row or column both orders are the same.
    let matters = tensor.matrices.outputs > 1 && tensor.matrices.inputs > 1
    guard tensor.order == order || !matters else {
      throw PackedError.originIncomplete(file: packed.path(of: first), tensor: tensor.name)
    }
    return WeightSource(
      name: tensor.name, file: packed.checkpoint.fileName(of: first.stored[0]),
      storage: try RestoredStorage(tensor, in: packed))
  }

  private func scale(of tensor: SourceTensor, _ order: MatrixOrder) throws -> WeightScale? {
    guard !tensor.isPacked, tensor.dtype.isFloat8 else { return nil }
    guard let scale = WeightScale.companion(of: tensor.name, in: stored) else {
      throw SourceError.scaleMissing(tensor: tensor.name, file: checkpoint.fileName(of: tensor))
    }
    return try WeightScale(
      scale, of: tensor.stored[0], isInputMajor: order == .inputMajor, in: checkpoint)
  }
}
