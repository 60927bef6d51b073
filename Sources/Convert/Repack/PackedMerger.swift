import Formats

/// Merges adapters into a packed checkpoint: pooled pairs go into the biases, trained biases take
/// their places, and every other stored byte stays as it is.
package struct PackedMerger {
  package let packed: PackedCheckpoint
  package let adapters: AdapterSet
  package let target: OutputTarget
  /// As the manifest holds it.
  package let record: [Manifest.MergedAdapter]
  /// Type for the merged biases; nil for that of the base.
  private let biasType: ScaleType?
  private let updates: [String: TensorUpdate]
  private let rewrite: PackedRewrite

  /// What a merge did.
  package struct Result: Sendable {
    /// By the names of the biases.
    package let roundings: [(tensor: String, rounding: BiasRounding)]
    package let probe: MergeProbe.Result
    /// Whether the output keeps what an undo needs.
    package let canBeUndone: Bool

    package var rounding: BiasRounding {
      roundings.reduce(into: BiasRounding()) { $0.merge($1.rounding) }
    }
  }

  /// - Throws: `MergeError`, `PackedError`, `FileError`.
  package init(
    _ packed: PackedCheckpoint, _ adapters: AdapterSet, target: OutputTarget, biasType: ScaleType?
  ) throws {
    self.packed = packed
    self.adapters = adapters
    self.target = target
    self.biasType = biasType
    try packed.checkWhole()
    guard packed.manifests.allSatisfy(\.folds.isEmpty) else {
      throw MergeError.folded(path: packed.checkpoint.path)
    }
    let merged = packed.manifests.compactMap(\.adapters).flatMap(\.merged)
    guard merged.isEmpty else {
      throw MergeError.alreadyMerged(
        path: packed.checkpoint.path, adapters: Set(merged.map(\.name)).sorted())
    }
    let updates = try adapters.updates(base: packed.mergeTargets)
    self.updates = updates
    for tensor in packed.tensors {
      if let update = updates[tensor.entry.name] { try Self.check(update, for: tensor) }
    }
    let record = adapters.record(updates)
    self.record = record
    let changed = packed.tensors.flatMap { $0.changed(by: updates[$0.entry.name]) }
    let keepsOriginals = target.isDirectory
    rewrite = try PackedRewrite(
      packed, target: target,
      producers: { Self.producers($0, updates[$0.entry.name], biasType, in: packed) },
      adapters: { tensors in
        let originals = tensors.flatMap { $0.changed(by: updates[$0.entry.name]) }.map(\.recorded)
        return Manifest.Adapters(merged: record, originals: keepsOriginals ? originals : nil)
      },
      extra: keepsOriginals ? Self.originals(changed, in: packed) : nil)
  }

  /// Bytes of all tensors that will be written.
  package var byteCount: Int { rewrite.byteCount }

  /// Writes the merged checkpoint, then reads it again and holds it against base + adapter.
  ///
  /// - Throws: `MergeError`, `PackedError`, `OutputError`, `FileError`, `CancellationError`.
  package func run(
    replacing: Bool, _ context: RunContext
  ) throws -> Result {
    for member in adapters.members { try target.checkApart(from: member.adapter.path) }
    try checkOriginals(context.cancellation)
    var probe = MergeProbe.Result()
    let roundings = try rewrite.run(
      replacing: replacing, context,
      check: { path in
        let merged = try PackedCheckpoint(Checkpoint(path: path))
        probe = try MergeProbe(base: packed, merged: merged, updates: updates)
          .run(cancellation: context.cancellation)
        for member in adapters.members { try member.adapter.file.input.checkUnchanged() }
      })
    return Result(roundings: roundings, probe: probe, canBeUndone: target.isDirectory)
  }

  private static func check(
    _ update: TensorUpdate, for tensor: PackedCheckpoint.Tensor
  ) throws(MergeError) {
    guard case .affine(let layout) = tensor.entry.layout else {
      if update.scales != nil {
        throw .cannotCombine(
          tensor: tensor.entry.name, what: "it is not packed, so that it has no scales to tune")
      }
      if let pair = update.pooled.first ?? update.dense.first {
        throw .cannotCombine(
          tensor: tensor.entry.name,
          what: "'\(pair.module)' is not packed here; convert the source with --adapter")
      }
      guard ScaleType(tensor.stored[0].info.dtype) != nil else {
        throw .notFloat(tensor: tensor.entry.name, dtype: tensor.stored[0].info.dtype)
      }
      return
    }
    if let pair = update.dense.first {
      throw .needsFloatBase(
        adapter: pair.adapter.path, module: pair.module, what: "an ordinary LoRA pair")
    }
    if let whole = update.replacement ?? update.additions.first?.tensor {
      throw .needsFloatBase(
        adapter: whole.adapter.path, module: Manifest.Entry.modulePath(of: tensor.entry.name),
        what: "a weight of its own")
    }
    try update.checkScales(
      layout,
      inputs: tensor.stored[1].info.dimensions[tensor.stored[1].info.dimensions.count - 1]
        * layout.groupSize, tensor: tensor.entry.name)
    for pair in update.pooled where pair.group % layout.groupSize != 0 {
      throw .groupMismatch(
        adapter: pair.adapter.path, module: pair.module, pooled: pair.group,
        packed: layout.groupSize)
    }
  }

  private static func producers(
    _ tensor: PackedCheckpoint.Tensor, _ update: TensorUpdate?, _ biasType: ScaleType?,
    in packed: PackedCheckpoint
  ) -> [any TensorProducer] {
    let copies: [any TensorProducer] = packed.readParts(tensor).map { CopiedTensor($0) }
    guard let update, let last = tensor.stored.last, let type = ScaleType(last.info.dtype) else {
      return copies
    }
    if case .affine(let layout) = tensor.entry.layout {
      let scales = tensor.stored[1].info
      guard
        let change = ParameterUpdate(
          update, name: tensor.entry.name,
          packing: AffinePacking(
            layout, scaleType: ScaleType(scales.dtype) ?? .f32, biasType: biasType ?? type),
          groupsPerRow: scales.dimensions[scales.dimensions.count - 1])
      else { return copies }
      let updated = UpdatedParameters(
        change, scales: tensor.stored[1], biases: last, of: packed.checkpoint)
      return copies.prefix(change.changesScales ? 1 : 2) + [updated]
    }
    let source = WeightSource(
      name: tensor.entry.name, file: packed.checkpoint.fileName(of: last),
      storage: PlainStorage(checkpoint: packed.checkpoint, tensor: last, scale: nil),
      transforms: WeightMerge(update, name: tensor.entry.name).map { [$0] } ?? [])
    return [EncodedTensor(source, reads: [], as: type, shape: last.info.shape)]
  }

  /// The file that keeps what the merge changes.
  private static func originals(
    _ changed: [PackedCheckpoint.Tensor.Changed], in packed: PackedCheckpoint
  ) -> PackedRewrite.Extra {
    .init(
      name: Manifest.Adapters.originalsFile,
      tensors: changed.map { stored, recorded in
        CopiedTensor(packed.checkpoint.readPart(stored, recorded: recorded.digest))
      })
  }

  /// A merge starts from values that are what the manifest says, or not at all.
  private func checkOriginals(_ cancellation: Cancellation) throws {
    for tensor in packed.tensors {
      for (stored, recorded) in tensor.changed(by: updates[tensor.entry.name]) {
        let file = packed.checkpoint.files[stored.file]
        let found = try file.digest(
          recorded.digest.rule, of: stored.info, check: cancellation.check)
        guard found == recorded.digest else {
          throw PackedError.damagedTensor(
            file: file.path, tensor: stored.name, found: found, recorded: recorded.digest)
        }
      }
    }
  }
}

extension PackedCheckpoint {
  /// A shard that is written anew would pass for the whole.
  ///
  /// - Throws: `MergeError.oneShard`, `PackedError.noManifest`.
  func checkWhole() throws {
    guard isRecorded else {
      throw PackedError.noManifest(file: checkpoint.files.first?.path ?? checkpoint.path)
    }
    guard let count = manifests.first?.output?.shardCount, count != manifests.count else { return }
    throw MergeError.oneShard(path: checkpoint.path, shardCount: count)
  }

  /// Its tensors as an adapter names them.
  var mergeTargets: [String: MergeTarget] {
    Dictionary(
      tensors.flatMap { tensor in
        let entry = tensor.entry
        return entry.origin.map { MergeTarget.all(entry.name, madeOf: $0) }
          ?? [MergeTarget(name: entry.name, shape: entry.sourceShape, order: entry.order)]
      }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
}

extension PackedCheckpoint.Tensor {
  typealias Changed = (stored: Checkpoint.Tensor, recorded: Manifest.StoredTensor)

  /// The stored tensors that a merge changes: the biases, with tuned scales those too, or the raw
  /// tensor.
  func changed(by update: TensorUpdate?) -> [Changed] {
    guard let update else { return [] }
    return Array(zip(stored, entry.stored).suffix(update.scales == nil ? 1 : 2))
  }
}

extension AdapterSet {
  /// What the manifest says of a merge that does these updates.
  func record(_ updates: [String: TensorUpdate]) -> [Manifest.MergedAdapter] {
    members.map { member in
      let path = member.adapter.path
      let pairs = updates.values.flatMap { $0.pooled + $0.dense }.filter {
        $0.adapter.path == path
      }
      let byModule = Dictionary(
        pairs.map { ($0.module, $0) }, uniquingKeysWith: { first, _ in first })
      var modules: [Manifest.MergedAdapter.Module] = []
      for module in member.adapter.modules {
        if let pair = module.pair {
          let update = byModule[module.name]
          modules.append(
            .init(
              name: module.name,
              kind: pair.magnitude != nil ? "dora" : update?.forward == nil ? "lora" : "qalora",
              rank: pair.rank, alpha: pair.alpha, scaling: pair.scaling,
              pooling: update?.forward?.pooling.rawValue,
              groupSize: update?.forward == nil ? nil : update?.group))
        }
        if module.scales != nil { modules.append(.init(name: module.name, kind: "peqa")) }
        for (tensor, ending) in [(module.weight, ".weight"), (module.bias, ".bias")]
        where tensor != nil {
          modules.append(.init(name: module.name + ending, kind: "replaced"))
        }
      }
      return Manifest.MergedAdapter(
        name: member.adapter.name, checksum: member.checksum,
        configChecksum: member.adapter.config.checksum, weight: member.weight, modules: modules)
    }
  }
}
