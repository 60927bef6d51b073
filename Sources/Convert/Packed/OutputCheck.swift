import Formats

/// Whether packed files are those, and all of those, that were written as one output.
struct OutputCheck {
  private let checkpoint: Checkpoint
  private let manifests: [Manifest]

  /// - Parameter manifests: one for each file of the checkpoint.
  init(_ checkpoint: Checkpoint, _ manifests: [Manifest]) {
    self.checkpoint = checkpoint
    self.manifests = manifests
  }

  /// What is wrong; of faults that follow from one another only the first kind.
  func errors() -> [PackedError] {
    guard let first = manifests.first else { return [] }
    let foreign = manifests.indices.dropFirst().filter { !first.isOfOneOutput(with: manifests[$0]) }
    if !foreign.isEmpty {
      return foreign.map {
        .foreignShard(file: checkpoint.files[$0].path, first: checkpoint.files[0].path)
      }
    }
    guard let output = first.output else { return [] }
    let isDirectory = checkpoint.directory != nil
    if isDirectory, manifests.count != output.shardCount {
      return [
        .missingShards(
          path: checkpoint.path, found: manifests.count, expected: output.shardCount)
      ]
    }
    let misnamed = nameErrors()
    guard misnamed.isEmpty, manifests.count == output.shardCount else { return misnamed }
    let inOrder = manifests.sorted { ($0.output?.shard ?? 0) < ($1.output?.shard ?? 0) }
    let found = Manifest.Output.digest(output.digest.rule, of: inOrder)
    if found == output.digest { return [] }
    return [.otherOutput(path: checkpoint.path, found: found, recorded: output.digest)]
  }

  /// A file that is an output of its own may be renamed; a shard may not, for its name says which
  /// part it is, and without the others it must not pass for the whole.
  private func nameErrors() -> [PackedError] {
    zip(checkpoint.files, manifests).compactMap { file, manifest in
      guard let output = manifest.output, output.shardCount > 1 else { return nil }
      let expected = Sharding.fileName(output.shard - 1, of: output.shardCount)
      let name = file.path.split(separator: "/").last.map(String.init)
      return name == expected ? nil : .shardName(file: file.path, expected: expected)
    }
  }
}

extension Manifest {
  /// Whether both record the same, as far as it is about the whole output.
  fileprivate func isOfOneOutput(with other: Manifest) -> Bool {
    decantVersion == other.decantVersion && sources == other.sources && options == other.options
      && adapters?.merged == other.adapters?.merged && carried == other.carried
      && output?.shardCount == other.output?.shardCount
      && output?.digest == other.output?.digest
      && output?.documents == other.output?.documents
  }
}
