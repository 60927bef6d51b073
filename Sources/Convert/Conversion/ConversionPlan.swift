import Formats
import Model

/// Everything that a conversion will do, decided before the first weight is read.
package struct ConversionPlan: Sendable {
  package let checkpoint: Checkpoint
  package let options: ConversionOptions
  /// In the order of the source's files and data.
  package let tensors: [TensorPlan]
  private let tie: TiedWeights
  private let arranged: ArrangedSource
  /// The channels that are scaled; nil where none are.
  let folding: Folding?
  /// What the manifest says of the adapters that are merged.
  package let adapters: Manifest.Adapters?
  /// The files that those are read from.
  let adapterInputs: [InputFile]
  /// Whether the output projection uses the embedding; nil for models without a vocabulary.
  package var tiesWordEmbeddings: Bool? { tie.isTied }
  /// What is no failure and should be known: sentences for people.
  package var warnings: [String] {
    (tie.warning.map { [$0] } ?? []) + (gguf?.warnings ?? [])
  }
  /// What a GGUF file says of the model; nil for another output.
  package let gguf: GGUFContent?

  /// - Parameter arrangement: which tensors there will be.
  /// - Throws: `PlanError`, `SourceError`, `MergeError`, `GramError`; `ArchitectureError`, `GGUFModelError`,
  ///   `TokenizerError` where llama.cpp has no such model; `AllocationError` where the options hold a
  ///   plan that does not fit; `FileError` where scales or tied weights cannot be read.
  package init(
    _ checkpoint: Checkpoint, options: ConversionOptions,
    arrangement: TensorArrangement = .mlx, adapters: AdapterSet? = nil
  ) throws {
    let method = SourceQuantization.unreadMethod(checkpoint.config)
    if let method, method != MXFP4Source.method {
      throw PlanError.alreadyQuantized(path: checkpoint.path, method: method)
    }
    let sources = try checkpoint.sourceTensors()
    if let method, !sources.contains(where: \.isPublishedPacked) {
      throw PlanError.alreadyQuantized(path: checkpoint.path, method: method)
    }
    let isPacked = sources.contains { $0.isPacked && !$0.isPublishedPacked }
    guard options.requantizes || !isPacked else {
      throw PlanError.alreadyPacked(path: checkpoint.path)
    }
    // Packed by MLX, and not so that it is known how.
    if !isPacked, QuantizationBlock(checkpoint.config).whole?["bits"] != nil,
      !checkpoint.files.contains(where: PackedCheckpoint.isOwn)
    {
      throw PlanError.alreadyQuantized(path: checkpoint.path, method: "MLX")
    }
    // What a manifest records of it is whether it was done.
    var options = options
    options.requantizes = isPacked
    let folding = options.folds.isEmpty ? nil : try Folding(options.folds, of: checkpoint)
    if let folding {
      options.meanSquares = folding.scaled(meanSquares: options.meanSquares)
      options.grams = options.grams.map { FoldedGrams(base: $0, folding: folding) }
    }
    let tie = try TiedWeights(sources, of: checkpoint)
    try self.init(
      checkpoint,
      ArrangedSource(
        folding?.scaled(sources) ?? sources, of: checkpoint, arrangement,
        redundantHead: tie.redundantHead),
      options: options, folding: folding, tie: tie, adapters: adapters)
  }

  /// The same conversion, without adapters, with the widths of `bitPlan`, which took the place of the
  /// patterns.
  package func assigning(_ bitPlan: BitPlan) throws -> ConversionPlan {
    var options = options
    options.plan = bitPlan
    options.overrides = []
    options.keep = []
    return try ConversionPlan(
      checkpoint, arranged, options: options, folding: folding, tie: tie, adapters: nil)
  }

  private init(
    _ checkpoint: Checkpoint, _ arranged: ArrangedSource, options: ConversionOptions,
    folding: Folding?, tie: TiedWeights, adapters: AdapterSet?
  ) throws {
    self.folding = folding
    self.arranged = arranged
    self.checkpoint = checkpoint
    self.options = options
    self.tie = tie
    gguf = try arranged.gguf.map { try GGUFContent($0, of: checkpoint) }
    var planner = TensorPlanner(checkpoint, arranged, options: options, tie: tie)
    var tensors = try arranged.tensors.map { try planner.plan($0) }
    try planner.checkPatterns()
    try planner.checkPlan()
    adapterInputs = adapters?.members.map(\.adapter.file.input) ?? []
    self.adapters = try adapters?.plan(into: &tensors, options: options)
    if options.method.needsGrams, let grams = options.grams {
      for index in tensors.indices {
        guard case .quantize = tensors[index].action else { continue }
        let source = tensors[index].source(in: checkpoint, nonFinite: options.nonFinite)
        let isHead = tie.isTied == true && tensors[index].identity.role == .tokenEmbedding
        tensors[index].grams = try TensorGrams(
          of: source, head: isHead ? tie.redundantHead ?? source.name : nil, in: grams)
      }
    }
    self.tensors = tensors
    try checkNames()
    try checkCoverage()
  }

  /// Packing adds names; none may be there already.
  private func checkNames() throws {
    var seen = Set<String>()
    for plan in tensors {
      for stored in plan.stored where !seen.insert(stored.name).inserted {
        throw PlanError.nameClash(tensor: plan.name, stored: stored.name)
      }
    }
  }

  private func checkCoverage() throws {
    guard let wanted = options.minimumCoverage, coverage.quantizedShare < wanted else { return }
    throw PlanError.coverageTooLow(
      reached: coverage.quantizedShare, wanted: wanted,
      unfit: tensors.filter { $0.standing == .keptUnfit }.map(\.name))
  }

  package var coverage: Coverage { Coverage(tensors) }

  /// Elements of every tensor of the output, which bits per weight are counted over.
  package var weightCount: Int {
    tensors.reduce(0) { $0 + ($1.standing == .dropped ? 0 : $1.tensor.elementCount) }
  }
}
