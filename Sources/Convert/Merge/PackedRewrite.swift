import Formats

/// A packed checkpoint to be written anew under another name, with some of its stored tensors
/// changed: files, manifests, configuration and carried files.
struct PackedRewrite {
  private let packed: PackedCheckpoint
  private let target: OutputTarget
  private let writer: PackedWriter
  /// Of the packed files.
  private let names: [String]
  private let extraName: String?
  private let carried: CarriedFiles?

  /// - Parameters:
  ///   - contents: what each of a tensor's stored tensors becomes; in their order.
  ///   - adapters: the record for a file, given the tensors in it.
  ///   - extra: a file beside the packed ones.
  /// - Throws: what `contents` throws; `FileError`.
  init(
    _ packed: PackedCheckpoint, target: OutputTarget,
    contents: (PackedCheckpoint.Tensor) throws -> [any StoredContent],
    adapters: ([PackedCheckpoint.Tensor]) -> Manifest.Adapters?, extra: RewrittenFile?
  ) throws {
    self.packed = packed
    self.target = target
    carried = target.isDirectory ? try CarriedFiles(beside: packed.checkpoint) : nil
    // The files stay as they are cut; one file as output takes them all.
    let byFile = target.isDirectory ? packed.tensorsByFile : [packed.tensors]
    let manifests = target.isDirectory ? packed.manifests : [Manifest(uniting: packed.manifests)]
    let carriedRecord = carried?.planned ?? []
    let documents = Self.documentNames(packed, target, fileCount: byFile.count)
    var files: [RewrittenFile] = []
    for (position, tensors) in byFile.enumerated() {
      let stored = try tensors.flatMap { tensor in
        zip(tensor.stored, try contents(tensor)).map {
          RewrittenFile.Tensor(name: $0.name, shape: $0.info.shape, content: $1)
        }
      }
      var manifest = manifests[position]
      manifest.sortTensors()
      manifest.adapters = adapters(tensors)
      // A base that does not say what it should be whole of cannot be vouched for.
      if manifest.output != nil {
        manifest.carried = carriedRecord
        manifest.output = Manifest.Output(
          shard: position + 1, shardCount: byFile.count, checksum: 0, documents: documents)
      }
      files.append(
        RewrittenFile(
          name: target.singleFileName ?? Sharding.fileName(position, of: byFile.count),
          tensors: stored, manifest: manifest))
    }
    names = files.map(\.name)
    writer = PackedWriter(files + [extra].compactMap(\.self))
    extraName = extra?.name
  }

  private static func documentNames(
    _ packed: PackedCheckpoint, _ target: OutputTarget, fileCount: Int
  ) -> [String] {
    OutputDocument.names(
      isDirectory: target.isDirectory, hasConfig: packed.checkpoint.config != nil,
      fileCount: fileCount)
  }

  /// Bytes of all tensors that will be written.
  var byteCount: Int { writer.byteCount }

  /// Writes everything under a temporary name, syncs it, and gives it its own.
  ///
  /// - Parameter check: called with the path of what was written before it gets its name.
  /// - Returns: what rounding lost, for the tensors whose biases were merged.
  func run(
    replacing: Bool, threads: Int, cancellation: Cancellation,
    progress: @escaping @Sendable (Int) -> Void, check: (String) throws -> Void
  ) throws -> [(tensor: String, rounding: BiasRounding)] {
    let result = StagedResult(
      target: target, documents: documents(), carried: carried, recorded: packed.carried,
      inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing,
      weights: names + [extraName].compactMap(\.self))
    return try result.write(replacing: replacing, cancellation: cancellation) {
      directory, carried in
      try writer.run(
        into: directory, carried: carried, threads: threads, cancellation: cancellation,
        progress: progress)
    } inspect: {
      try check($0)
    }
  }

  private func documents() -> [OutputDocument] {
    guard target.isDirectory else { return [] }
    var documents: [OutputDocument] = []
    if let config = packed.checkpoint.config {
      documents.append(OutputDocument(OutputDocument.config, config.document))
    }
    if names.count > 1 {
      documents.append(OutputDocument(OutputDocument.index, writer.index(of: names)))
    }
    return documents
  }
}
