import Formats

/// Takes adapters out of a packed checkpoint again: puts back what was stored before the merge, bit
/// for bit, and removes the record of it.
package struct Unmerger {
  private let packed: PackedCheckpoint
  private let rewrite: PackedRewrite
  /// The file of what was stored before.
  private let kept: SafetensorsFile
  /// Names of the adapters that are taken out.
  package let adapterNames: [String]
  private let restored: Int

  /// - Throws: `MergeError.nothingMerged` or `.originalsMissing`; `PackedError`, `SafetensorsError`, `FileError`
  ///   where the originals cannot be read.
  package init(_ packed: PackedCheckpoint, target: OutputTarget) throws {
    try packed.checkWhole()
    self.packed = packed
    let records = packed.manifests.compactMap(\.adapters)
    let path = packed.checkpoint.path
    guard let first = records.first else { throw MergeError.nothingMerged(path: path) }
    guard let directory = packed.checkpoint.directory, first.originals != nil,
      FileStatus.exists(directory + "/" + Manifest.Adapters.originalsFile)
    else {
      throw MergeError.originalsMissing(path: path)
    }
    adapterNames = first.merged.map(\.name)
    let kept = try SourceTriage.open(directory + "/" + Manifest.Adapters.originalsFile)
    if let error = PackedFile.headerError(of: kept) { throw error }
    let infos = Dictionary(
      kept.header.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var originals: [String: ReadPart] = [:]
    for stored in records.flatMap({ $0.originals ?? [] }) {
      guard let info = infos[stored.name] else {
        throw PackedError.missingTensor(file: kept.path, tensor: stored.name)
      }
      originals[stored.name] = ReadPart(file: kept, tensor: info, recorded: stored.digest)
    }
    self.kept = kept
    restored = originals.count
    rewrite = try PackedRewrite(
      packed, target: target,
      producers: { tensor in
        try zip(tensor.stored, packed.readParts(tensor)).map { stored, read in
          guard let original = originals[stored.name] else { return CopiedTensor(read) }
          guard original.tensor.shape == stored.info.shape else {
            throw PackedError.wrongTensor(
              file: kept.path, tensor: stored.name, shape: original.tensor.shape,
              dtype: original.tensor.dtype, expectedShape: stored.info.shape,
              expectedDTypes: [stored.info.dtype])
          }
          return CopiedTensor(original)
        }
      }, adapters: { _ in nil }, extra: nil)
  }

  /// Bytes of all tensors that will be written.
  package var byteCount: Int { rewrite.byteCount }

  /// - Returns: how many stored tensors were put back.
  /// - Throws: `PackedError.damagedTensor` where one is not what was recorded; `OutputError`, `FileError`.
  package func run(
    replacing: Bool, _ context: RunContext
  ) throws -> Int {
    _ = try rewrite.run(
      replacing: replacing, context,
      check: { path in
        _ = try PackedCheckpoint(Checkpoint(path: path))
        try kept.input.checkUnchanged()
      })
    return restored
  }
}
