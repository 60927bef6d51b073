import Formats
import Model

/// A packed checkpoint to be written anew under another name, with some of its stored tensors
/// changed: files, manifests, configuration and carried files.
struct PackedRewrite {
  private let packed: PackedCheckpoint
  private let destination: Destination
  private let writer: CheckpointWriter
  private let documents: [OutputDocument]

  /// A file beside the packed ones, of stored tensors that are kept.
  struct Extra {
    let name: String
    let tensors: [CopiedTensor]
  }

  /// - Parameters:
  ///   - producers: what makes a tensor's stored tensors anew.
  ///   - adapters: the record for a file, given the tensors in it; the digests of what was stored
  ///     before are made when it is kept.
  ///   - revise: what else becomes of a file's manifest.
  /// - Throws: what `producers` throws; `FileError`.
  init(
    _ packed: PackedCheckpoint, target: OutputTarget,
    producers: (PackedCheckpoint.Tensor) throws -> [any TensorProducer],
    adapters: ([PackedCheckpoint.Tensor]) -> Manifest.Adapters?, extra: Extra?,
    revise: (inout Manifest) -> Void = { _ in }
  ) throws {
    self.packed = packed
    let destination = try Destination(target, source: packed.checkpoint)
    self.destination = destination
    // The files stay as they are cut; one file as output takes them all.
    let byFile = target.isDirectory ? packed.tensorsByFile : [packed.tensors]
    let manifests = target.isDirectory ? packed.manifests : [Manifest(uniting: packed.manifests)]
    let weights = try byFile.enumerated().map { position, tensors in
      let producers = try tensors.flatMap(producers)
      return (
        name: destination.fileName(position, of: byFile.count),
        layout: WeightFileLayout.safetensors(SafetensorsLayout(producers.flatMap(\.parts))),
        producers: producers
      )
    }
    documents = destination.documents(
      config: packed.checkpoint.config?.document, files: weights.map { ($0.name, $0.layout) })
    let recorded = documents.map(\.recorded)
    var all: [any TensorProducer] = []
    func planned(
      _ name: String, _ layout: WeightFileLayout, _ producers: [any TensorProducer],
      _ manifest: Manifest?
    ) -> PlannedFile {
      defer { all += producers }
      return PlannedFile(
        name: name, tensors: Array(all.count..<all.count + producers.count), layout: layout,
        manifest: manifest,
        metadata: [
          (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
          ("decant.unmerged_by", decantVersion),
        ])
    }
    var files: [PlannedFile] = []
    for (position, tensors) in byFile.enumerated() {
      var manifest = manifests[position]
      manifest.renew(tensors)
      manifest.sortTensors()
      manifest.adapters = adapters(tensors)
      manifest.carried = destination.recorded
      revise(&manifest)
      // A base that does not say what it should be whole of cannot be vouched for.
      if manifest.output != nil {
        manifest.output = Manifest.Output(
          shard: position + 1, shardCount: byFile.count, digest: .blank, documents: recorded)
      }
      let (name, layout, producers) = weights[position]
      files.append(planned(name, layout, producers, manifest))
    }
    if let extra {
      files.append(
        planned(
          extra.name, .safetensors(SafetensorsLayout(extra.tensors.flatMap(\.parts))),
          extra.tensors, nil))
    }
    writer = CheckpointWriter(files: files, producers: all)
  }

  /// Bytes of all tensors that will be written.
  var byteCount: Int { writer.byteCount }

  /// Writes everything under a temporary name, syncs it, and gives it its own.
  ///
  /// - Parameter check: called with the path of what was written before it gets its name.
  /// - Returns: what rounding lost, for the tensors whose biases were merged.
  func run(
    replacing: Bool, _ context: RunContext, check: (String) throws -> Void
  ) throws -> [(tensor: String, rounding: BiasRounding)] {
    let result = StagedResult(
      destination: destination, documents: documents, recorded: packed.carried,
      inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing, weights: writer.files.map(\.name))
    let outcomes = try result.write(replacing: replacing, context.cancellation) {
      directory, carried in
      try writer.run(into: directory, context) { manifest, outcomes in
        manifest.carried = carried
        recordOriginals(in: &manifest, outcomes)
      }
    } inspect: {
      try check($0)
    }
    return zip(writer.producers, outcomes).compactMap { producer, outcome in
      let rounding = outcome.effects.rounding
      return rounding.count == 0 ? nil : (producer.parts[producer.parts.count - 1].name, rounding)
    }
  }

  /// What is kept has the digests that it was written with.
  private func recordOriginals(in manifest: inout Manifest, _ outcomes: [WritePass.Outcome]) {
    guard let originals = manifest.adapters?.originals else { return }
    var digests: [String: Digest] = [:]
    for tensor in writer.files.filter({ $0.manifest == nil }).flatMap(\.tensors) {
      digests[writer.producers[tensor].parts[0].name] = outcomes[tensor].hashers[0].digest
    }
    manifest.adapters?.originals = originals.map {
      .init(name: $0.name, digest: digests[$0.name] ?? .blank)
    }
  }
}

extension Manifest {
  /// Makes a manifest of an older version one of the current version, but for the digests that are
  /// made when its file is written. Version 1 said nothing of what no weight was made zero in.
  ///
  /// - Parameter checked: the file's tensors.
  fileprivate mutating func renew(_ checked: [PackedCheckpoint.Tensor]) {
    version = Self.formatVersion
    let decoded = Set(
      checked.filter { $0.stored.count > 1 || $0.stored[0].info.dtype != $0.entry.sourceDType }
        .map(\.entry.name))
    for index in tensors.indices where decoded.contains(tensors[index].name) {
      tensors[index].zeroedCount = tensors[index].zeroedCount ?? 0
    }
  }
}
