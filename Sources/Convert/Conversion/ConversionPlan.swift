import Formats
import Model

/// Everything that a conversion will do, decided before the first weight is read.
package struct ConversionPlan: Sendable {
  package let checkpoint: Checkpoint
  package let options: ConversionOptions
  /// In the order of the source's files and data.
  package let tensors: [TensorPlan]
  private let tie: TiedWeights
  /// What the manifest says of the adapters that are merged.
  package let adapters: Manifest.Adapters?
  /// The files that those are read from.
  let adapterInputs: [InputFile]
  /// Whether the output projection uses the embedding; nil for models without a vocabulary.
  package var tiesWordEmbeddings: Bool? { tie.isTied }

  /// - Throws: `PlanError`, `SourceError`, `MergeError`; `AllocationError` where the options hold a
  ///   plan that does not fit; `FileError` where scales or tied weights cannot be read.
  package init(
    _ checkpoint: Checkpoint, options: ConversionOptions, adapters: AdapterSet? = nil
  ) throws {
    try Self.checkSource(checkpoint)
    try self.init(
      checkpoint, options: options, tie: TiedWeights(checkpoint), adapters: adapters)
  }

  /// The same conversion, without adapters, with the widths of `bitPlan`, which took the place of the
  /// patterns.
  package func assigning(_ bitPlan: BitPlan) throws -> ConversionPlan {
    var options = options
    options.plan = bitPlan
    options.overrides = []
    options.keep = []
    return try ConversionPlan(checkpoint, options: options, tie: tie, adapters: nil)
  }

  private init(
    _ checkpoint: Checkpoint, options: ConversionOptions, tie: TiedWeights, adapters: AdapterSet?
  ) throws {
    self.checkpoint = checkpoint
    self.options = options
    self.tie = tie
    var planner = try TensorPlanner(checkpoint, options: options, tie: tie)
    var tensors = try checkpoint.tensors.map { try planner.plan($0) }
    try planner.checkPatterns()
    try planner.checkPlan()
    adapterInputs = adapters?.members.map(\.adapter.file.input) ?? []
    self.adapters = try adapters?.plan(into: &tensors, options: options)
    self.tensors = tensors
    try checkNames()
    try checkCoverage()
  }

  private static func checkSource(_ checkpoint: Checkpoint) throws {
    if checkpoint.files.contains(where: { $0.header.metadataValue(Manifest.manifestKey) != nil }) {
      throw PlanError.alreadyPacked(path: checkpoint.path)
    }
    if checkpoint.config?.document["quantization"]?["bits"] != nil {
      throw PlanError.alreadyQuantized(path: checkpoint.path, method: "MLX")
    }
    if let method = SourceQuantization.unreadMethod(checkpoint.config) {
      throw PlanError.alreadyQuantized(path: checkpoint.path, method: method)
    }
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
    tensors.reduce(0) { $0 + ($1.standing == .dropped ? 0 : $1.tensor.info.elementCount) }
  }
}

/// How the source's weight bytes divide up.
package struct Coverage: Sendable, Equatable {
  package var quantized = 0
  package var keptOnPurpose = 0
  package var keptUnfit = 0

  init(_ tensors: [TensorPlan]) {
    for plan in tensors where plan.isWeight {
      switch plan.standing {
      case .quantized: quantized += plan.tensor.info.byteCount
      case .keptOnPurpose: keptOnPurpose += plan.tensor.info.byteCount
      case .keptUnfit: keptUnfit += plan.tensor.info.byteCount
      case .dropped: break
      }
    }
  }

  private var total: Int { quantized + keptOnPurpose + keptUnfit }
  private func share(_ bytes: Int) -> Double { total == 0 ? 0 : Double(bytes) / Double(total) }

  /// Shares of the weight bytes, 0 to 1.
  package var quantizedShare: Double { share(quantized) }
  package var keptShare: Double { share(keptOnPurpose) }
  package var unfitShare: Double { share(keptUnfit) }
}

/// Whether the output projection is the embedding, from the configuration and the bytes.
struct TiedWeights: Sendable {
  let isTied: Bool?
  /// A stored head that equals the embedding, and is left out.
  let redundantHead: String?

  private static let heads = ["lm_head.weight", "embed_out.weight"]
  private static let embeddings = [
    "model.embed_tokens.weight", "model.decoder.embed_tokens.weight", "transformer.wte.weight",
    "wte.weight", "transformer.word_embeddings.weight", "word_embeddings.weight",
    "backbone.embeddings.weight", "gpt_neox.embed_in.weight",
    "model.language_model.embed_tokens.weight", "language_model.model.embed_tokens.weight",
  ]

  init(_ checkpoint: Checkpoint) throws {
    let head = checkpoint.tensors.first { Self.heads.contains($0.name) }
    let embedding = checkpoint.tensors.first { Self.embeddings.contains($0.name) }
    let declared = checkpoint.config?.tiesWordEmbeddings
    guard let head, let embedding else {
      redundantHead = nil
      isTied = declared ?? (embedding == nil ? nil : head == nil)
      return
    }
    if declared == false {
      (isTied, redundantHead) = (false, nil)
      return
    }
    let same = try Self.equal(head, embedding, in: checkpoint)
    if declared == true, !same {
      throw PlanError.tiedWeightsDiffer(head: head.name, embedding: embedding.name)
    }
    (isTied, redundantHead) = (same, same ? head.name : nil)
  }

  private static func equal(
    _ a: Checkpoint.Tensor, _ b: Checkpoint.Tensor, in checkpoint: Checkpoint
  ) throws -> Bool {
    guard a.info.dtype == b.info.dtype, a.info.shape == b.info.shape else { return false }
    var other = [UInt8](repeating: 0, count: min(InputFile.blockSize, b.info.byteCount))
    var position = 0
    var isSame = true
    try checkpoint.files[a.file].forEachBlock(of: a.info) { bytes, count in
      guard isSame else { return }
      try checkpoint.read(position..<position + count, of: b, into: &other)
      isSame = bytes[..<count] == other[..<count]
      position += count
    }
    return isSame
  }
}
