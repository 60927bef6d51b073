import Formats
import Model
import Stats

/// Compares a packed checkpoint with the source it was made from: the source's digests, every kept
/// tensor bit by bit, and the error of every packed one with what the manifest records.
struct SourceComparison {
  private let packed: PackedCheckpoint
  private let plan: ConversionPlan
  /// The plan's tensors by name.
  private let sources: [String: TensorPlan]

  /// Recorded errors have eleven digits; the sums are formed in the same order as they were.
  private static let tolerance = 1e-9
  /// decant 0.1.0 rounded the largest error to a `Float`.
  private static let singleTolerance = 0x1p-23

  /// - Throws: `SourceError`, `SafetensorsError`, `FileError` where the source cannot be opened.
  init(_ packed: PackedCheckpoint, source: String) throws {
    self.packed = packed
    var options = ConversionOptions()
    // What the conversion did about such weights is recorded; here they must not stop the check.
    options.nonFinite = .zero
    options.requantizes = true
    options.folds = Manifest.folds(of: packed.manifests)
    plan = try ConversionPlan(
      Checkpoint(path: source), options: options, arrangement: TensorArrangement(of: packed))
    sources = Dictionary(
      plan.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func run(
    _ context: RunContext
  ) throws -> (findings: [Finding], distances: [MatrixDistance]) {
    let shapeFindings = packed.tensors.indices.map { shapeFinding($0) }
    let compared = packed.tensors.indices.map {
      shapeFindings[$0] == nil ? comparison(of: packed.tensors[$0]) : nil
    }
    let pass = ComparisonPass(compared)
    try pass.run(context)
    let rows = RowCheckPass(
      try RowCheck(packed, source: plan.checkpoint, folding: plan.folding), compared)
    try rows.run(RunContext(threads: context.threads, cancellation: context.cancellation))
    var findings =
      try SourceFileCheck(packed, plan.checkpoint, pass.digests).findings(context)
      + missingFindings()
    var distances: [MatrixDistance] = []
    for index in packed.tensors.indices {
      let loss = pass.losses[index]
      let ofTensor = [
        shapeFindings[index], shapeFindings[index] == nil ? errorFinding(index, loss) : nil,
        rows.findings[index],
      ]
      findings += ofTensor.compactMap(\.self)
      if shapeFindings[index] == nil, let distance = distance(index, loss) {
        distances.append(distance)
      }
    }
    return (findings, distances)
  }

  /// How a tensor is held against its source.
  private func comparison(of tensor: PackedCheckpoint.Tensor) -> TensorComparison? {
    guard let plan = sources[tensor.entry.name] else { return nil }
    let checkpoint = self.plan.checkpoint
    func source(_ order: MatrixOrder) -> WeightSource {
      plan.source(in: checkpoint, nonFinite: .zero, turning: order)
    }
    let reads = checkpoint.readParts(plan.tensor)
    if let storage = packed.packedStorage(tensor), let packing = storage.layout as? AffinePacking {
      return .weights(source(tensor.entry.order), storage, packing, reads: reads)
    }
    let stored = StoredParts(tensor.stored, in: packed.checkpoint)
    guard
      plan.tensor.isPacked || plan.tensor.dtype != tensor.stored[0].info.dtype
        || !plan.tensor.isOneCopied, let type = ScaleType(tensor.stored[0].info.dtype)
    else {
      return .bytes(
        CopiedTensor(reads[0], name: plan.name, shape: plan.tensor.shape), stored)
    }
    // One that was kept, though it was FP8 or packed: decoded it must give the stored elements.
    let encoded = EncodedTensor(
      source(.outputMajor), reads: reads, as: type, shape: plan.tensor.shape,
      order: plan.tensor.turnedFrom)
    return .bytes(encoded, stored)
  }

  /// Of a weight matrix; a kept one that differs has a finding in its place.
  private func distance(
    _ index: Int, _ loss: ComparisonPass.Loss
  ) -> MatrixDistance? {
    let tensor = packed.tensors[index]
    let file = packed.path(of: tensor)
    if case .affine(let layout) = tensor.entry.layout {
      return MatrixDistance(
        file: file, tensor: tensor.entry.name, layout: layout, error: loss.error)
    }
    guard tensor.entry.sourceShape.count >= 2, tensor.entry.sourceDType.isFloat, !loss.differs
    else {
      return nil
    }
    return MatrixDistance(
      file: file, tensor: tensor.entry.name, layout: nil, error: QuantizationError())
  }

  /// Tensors of the source that a conversion would not leave out, and that are not there.
  private func missingFindings() -> [Finding] {
    let present = Set(packed.tensors.map(\.entry.name))
    return plan.tensors.filter { $0.action != .drop && !present.contains($0.name) }.map { tensor in
      Finding(
        file: packed.checkpoint.path, tensor: tensor.name, rule: .source,
        message: "\(packed.checkpoint.path): tensor '\(tensor.name)' of the source is missing")
    }
  }

  private func shapeFinding(_ index: Int) -> Finding? {
    let tensor = packed.tensors[index]
    let file = packed.path(of: tensor)
    func finding(_ text: String) -> Finding {
      Finding(
        file: file, tensor: tensor.entry.name, rule: .source,
        message: "\(file): tensor '\(tensor.entry.name)' \(text)")
    }
    guard let source = sources[tensor.entry.name] else {
      return finding("is not in the source")
    }
    guard source.tensor.origin == tensor.entry.origin || !packed.isRecorded else {
      return finding("is recorded as made of the source in another way than it can be")
    }
    guard source.tensor.shape == tensor.entry.sourceShape,
      source.tensor.dtype == tensor.entry.sourceDType || !packed.isRecorded
    else {
      return finding(
        "was \(tensor.entry.sourceDType.rawValue) \(tensor.entry.sourceShape);"
          + " the source has \(source.tensor.dtype.rawValue) \(source.tensor.shape)")
    }
    if case .affine = tensor.entry.layout,
      source.identity.order != tensor.entry.order
    {
      return finding(
        "is packed \(tensor.entry.order == .inputMajor ? "transposed" : "as it lies"),"
          + " which is not the order of the source's weights")
    }
    return nil
  }

  private func errorFinding(
    _ index: Int, _ loss: ComparisonPass.Loss
  ) -> Finding? {
    let (tensor, measured) = (packed.tensors[index], loss.error)
    let file = packed.path(of: tensor)
    guard measured.squaredError.isFinite else {
      return Finding(
        file: file, tensor: tensor.entry.name, rule: .notFinite,
        message: "\(file): tensor '\(tensor.entry.name)' decodes to NaN or infinity")
    }
    guard let recorded = tensor.entry.error else {
      if packed.isRecorded, tensor.entry.layout != .plain {
        return Finding(
          file: file, tensor: tensor.entry.name, rule: .recordedError,
          message: "\(file): tensor '\(tensor.entry.name)' has squared error"
            + " \(measured.squaredError) against the source; the manifest records none")
      }
      return loss.differs
        ? Finding(
          file: file, tensor: tensor.entry.name, rule: .source,
          message: "\(file): tensor '\(tensor.entry.name)' differs from the source") : nil
    }
    if recorded.squaredError.agrees(with: measured.squaredError, within: Self.tolerance),
      recorded.squaredNorm.agrees(with: measured.squaredNorm, within: Self.tolerance),
      recorded.largestError.agrees(with: measured.largestError, within: Self.singleTolerance)
    {
      return nil
    }
    return Finding(
      file: file, tensor: tensor.entry.name, rule: .recordedError,
      message: "\(file): tensor '\(tensor.entry.name)' has squared error \(measured.squaredError)"
        + " against the source; the manifest says \(recorded.squaredError)")
  }
}
