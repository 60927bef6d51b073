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
  /// - Throws: `MergeError.unnamedTensor` where a tensor would be left behind; `FileError`.
  init(
    _ packed: PackedCheckpoint, target: OutputTarget,
    contents: (PackedCheckpoint.Tensor) throws -> [any StoredContent],
    adapters: ([PackedCheckpoint.Tensor]) -> Manifest.Adapters?, extra: RewrittenFile?
  ) throws {
    self.packed = packed
    self.target = target
    carried = target.isDirectory ? try CarriedFiles(beside: packed.checkpoint) : nil
    let named = Set(packed.tensors.flatMap { $0.stored.map(\.name) })
    if let unnamed = packed.checkpoint.tensors.first(where: { !named.contains($0.name) }) {
      throw MergeError.unnamedTensor(
        file: packed.checkpoint.files[unnamed.file].path, tensor: unnamed.name)
    }
    // The files stay as they are cut; one file as output takes them all.
    let byFile =
      target.isDirectory
      ? packed.checkpoint.files.indices.map { file in
        packed.tensors.filter { $0.stored[0].file == file }
      } : [packed.tensors]
    var files: [RewrittenFile] = []
    for (position, tensors) in byFile.enumerated() {
      let stored = try tensors.flatMap { tensor in
        zip(tensor.stored, try contents(tensor)).map {
          RewrittenFile.Tensor(name: $0.name, shape: $0.info.shape, content: $1)
        }
      }
      let manifest = Self.manifest(
        packed.manifests[position], tensors, adapters: adapters(tensors))
      files.append(
        RewrittenFile(
          name: target.singleFileName ?? Sharding.fileName(position, of: byFile.count),
          tensors: stored, metadata: { Self.metadata(manifest, checksums: $0) }))
    }
    names = files.map(\.name)
    writer = PackedWriter(files + [extra].compactMap(\.self))
    extraName = extra?.name
  }

  private static func manifest(
    _ old: Manifest, _ tensors: [PackedCheckpoint.Tensor], adapters: Manifest.Adapters?
  ) -> Manifest {
    var manifest = old
    manifest.tensors = tensors.map(\.entry).sorted {
      $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    manifest.adapters = adapters
    return manifest
  }

  private static func metadata(
    _ planned: Manifest, checksums: [String: UInt64]
  ) -> [(name: String, value: String)] {
    var manifest = planned
    for index in manifest.tensors.indices {
      for position in manifest.tensors[index].stored.indices {
        let name = manifest.tensors[index].stored[position].name
        manifest.tensors[index].stored[position].checksum = checksums[name] ?? 0
      }
    }
    return [
      (Manifest.headerChecksumKey, HeaderChecksum.placeholder),
      (Manifest.manifestKey, manifest.jsonText), ("format", "mlx"),
    ]
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
      target: target, documents: documents(), carried: carried, inputs: packed.checkpoint.inputs)
    try result.check(
      source: packed.checkpoint, replacing: replacing,
      weights: names + [extraName].compactMap(\.self))
    return try result.write(replacing: replacing, cancellation: cancellation) { directory in
      try writer.run(
        into: directory, threads: threads, cancellation: cancellation, progress: progress)
    } inspect: {
      try check($0)
    }
  }

  private func documents() -> [OutputDocument] {
    guard target.isDirectory else { return [] }
    var documents: [OutputDocument] = []
    if let config = packed.checkpoint.config {
      documents.append(OutputDocument("config.json", config.document))
    }
    if names.count > 1 {
      documents.append(OutputDocument("model.safetensors.index.json", writer.index(of: names)))
    }
    return documents
  }
}
