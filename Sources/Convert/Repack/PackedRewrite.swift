import Formats
import Model

/// A packed checkpoint to be written anew under another name, with some of its stored tensors
/// changed: files, manifests, configuration and carried files.
struct PackedRewrite {
  private let packed: PackedCheckpoint
  private let target: OutputTarget
  private let writer: CheckpointWriter
  private let carried: CarriedFiles?

  /// A file beside the packed ones, of stored tensors that are kept.
  struct Extra {
    let name: String
    let tensors: [CopiedTensor]
  }

  /// - Parameters:
  ///   - producers: what makes a tensor's stored tensors anew.
  ///   - adapters: the record for a file, given the tensors in it.
  /// - Throws: what `producers` throws; `FileError`.
  init(
    _ packed: PackedCheckpoint, target: OutputTarget,
    producers: (PackedCheckpoint.Tensor) throws -> [any TensorProducer],
    adapters: ([PackedCheckpoint.Tensor]) -> Manifest.Adapters?, extra: Extra?
  ) throws {
    self.packed = packed
    self.target = target
    carried = target.isDirectory ? try CarriedFiles(beside: packed.checkpoint) : nil
    // The files stay as they are cut; one file as output takes them all.
    let byFile = target.isDirectory ? packed.tensorsByFile : [packed.tensors]
    let manifests = target.isDirectory ? packed.manifests : [Manifest(uniting: packed.manifests)]
    let documents = OutputDocument.names(
      isDirectory: target.isDirectory, hasConfig: packed.checkpoint.config != nil,
      fileCount: byFile.count)
    var all: [any TensorProducer] = []
    func planned(
      _ name: String, _ producers: [any TensorProducer], _ manifest: Manifest?
    ) -> PlannedFile {
      defer { all += producers }
      return PlannedFile(
        name: name, tensors: Array(all.count..<all.count + producers.count),
        layout: SafetensorsLayout(producers.flatMap(\.parts)), manifest: manifest,
        metadata: [
          (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
          ("decant.unmerged_by", decantVersion),
        ])
    }
    var files: [PlannedFile] = []
    for (position, tensors) in byFile.enumerated() {
      var manifest = manifests[position]
      manifest.sortTensors()
      manifest.adapters = adapters(tensors)
      // A base that does not say what it should be whole of cannot be vouched for.
      if manifest.output != nil {
        manifest.carried = carried?.planned ?? []
        manifest.output = Manifest.Output(
          shard: position + 1, shardCount: byFile.count, checksum: 0, documents: documents)
      }
      files.append(
        planned(
          target.singleFileName ?? Sharding.fileName(position, of: byFile.count),
          try tensors.flatMap(producers), manifest))
    }
    if let extra { files.append(planned(extra.name, extra.tensors, nil)) }
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
      target: target, documents: documents(), carried: carried, recorded: packed.carried,
      inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing, weights: writer.files.map(\.name))
    let outcomes = try result.write(replacing: replacing, context.cancellation) {
      directory, carried in
      try writer.run(into: directory, context) { manifest, _ in
        if manifest.output != nil { manifest.carried = carried }
      }
    } inspect: {
      try check($0)
    }
    return zip(writer.producers, outcomes).compactMap { producer, outcome in
      let rounding = outcome.effects.rounding
      return rounding.count == 0 ? nil : (producer.parts[producer.parts.count - 1].name, rounding)
    }
  }

  private func documents() -> [OutputDocument] {
    guard target.isDirectory else { return [] }
    var documents: [OutputDocument] = []
    if let config = packed.checkpoint.config {
      documents.append(OutputDocument(OutputDocument.config, config.document))
    }
    return documents + OutputDocument.index(of: writer.files.filter { $0.manifest != nil })
  }
}
