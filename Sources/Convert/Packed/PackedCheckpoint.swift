import Formats
import Model

/// A packed checkpoint open for reading: its manifests, and for each of their entries the stored
/// tensors. Whoever holds one knows that headers are what was written, that every tensor has an
/// entry and the shape it gives, and that the files belong together. Of one that MLX packed, only
/// that the parts of every packed weight fit one another.
package struct PackedCheckpoint: Sendable {
  package struct Tensor: Sendable {
    package let entry: Manifest.Entry
    /// Weight, scales and biases, or the one raw tensor.
    package let stored: [Checkpoint.Tensor]
  }

  package let checkpoint: Checkpoint
  /// One for each file, in the files' order; none where MLX packed it, which records nothing.
  package let manifests: [Manifest]
  /// In the order of the files, then of their manifests.
  package private(set) var tensors: [Tensor]

  /// - Throws: `ManifestError` where a file's manifest cannot be used, `PackedError` where it and
  ///   the file's tensors do not agree, a header is damaged, or files do not belong together.
  package init(_ checkpoint: Checkpoint) throws {
    guard checkpoint.files.contains(where: Self.isOwn) else {
      try self.init(packedByMLX: checkpoint)
      return
    }
    let files = try checkpoint.filesWithTensors.map { file, tensors in
      let packed = try PackedFile(file, tensors)
      if let error = PackedFile.headerError(of: file) ?? packed.errors.first { throw error }
      return packed
    }
    if let error = OutputCheck(checkpoint, files.map(\.manifest)).errors().first { throw error }
    self.init(checkpoint, files)
  }

  /// Nil for a checkpoint of which nothing is packed.
  ///
  /// - Throws: as above.
  init?(ifPacked checkpoint: Checkpoint) throws {
    let isPacked =
      checkpoint.files.contains(where: Self.isOwn)
      || checkpoint.tensors.contains { $0.info.dtype == .u32 }
    guard isPacked else { return nil }
    do {
      try self.init(checkpoint)
    } catch PackedError.noManifest where !checkpoint.files.contains(where: Self.isOwn) {
      return nil
    }
  }

  /// - Throws: `PackedError.noManifest` where nothing is packed; `.wrongTensor`.
  private init(packedByMLX checkpoint: Checkpoint) throws {
    let tensors = try MLXPacking(checkpoint).tensors()
    guard tensors.contains(where: { $0.entry.layout != .plain }) else {
      throw PackedError.noManifest(file: checkpoint.files.first?.path ?? checkpoint.path)
    }
    self.checkpoint = checkpoint
    manifests = []
    self.tensors = tensors
  }

  /// Whether decant packed a file: damage of one of the two names must not make it another's.
  static func isOwn(_ file: SafetensorsFile) -> Bool {
    [Manifest.manifestKey, Manifest.headerChecksumKey].contains {
      file.header.metadataValue($0) != nil
    }
  }

  /// Whether decant wrote it, and recorded what it wrote.
  package var isRecorded: Bool { !manifests.isEmpty }

  /// The digests that a tensor's stored tensors must have.
  func recordedDigests(_ tensor: Tensor) -> [Digest?] {
    tensor.entry.stored.map { isRecorded ? $0.digest : nil }
  }

  /// - Parameter files: those of the checkpoint, without errors.
  init(_ checkpoint: Checkpoint, _ files: [PackedFile]) {
    self.checkpoint = checkpoint
    manifests = files.map(\.manifest)
    tensors = files.flatMap(\.tensors)
  }

  static func manifest(of file: SafetensorsFile) throws -> Manifest {
    guard let text = file.header.metadataValue(Manifest.manifestKey) else {
      throw PackedError.noManifest(file: file.path)
    }
    return try Manifest(text: text, file: file.path)
  }

  /// The tensors of each file.
  var tensorsByFile: [[Tensor]] {
    var files = checkpoint.files.map { _ in [Tensor]() }
    for tensor in tensors { files[tensor.stored[0].file].append(tensor) }
    return files
  }

  /// With the origins of what mlx-lm stacks, where it packed the checkpoint; decant has recorded them.
  var withStackOrigins: PackedCheckpoint {
    guard !isRecorded, let stacks = MLXStacks(config: checkpoint.config) else { return self }
    var packed = self
    packed.tensors = tensors.map { tensor in
      let entry = tensor.entry
      guard let origin = stacks.origin(of: entry.name, shape: entry.sourceShape) else {
        return tensor
      }
      return Tensor(
        entry: Manifest.Entry(
          name: entry.name, layout: entry.layout, sourceDType: entry.sourceDType,
          sourceShape: entry.sourceShape, order: entry.order, origin: origin,
          stored: entry.stored, error: nil), stored: tensor.stored)
    }
    return packed
  }

  /// The files that were carried over with the weights, where that is recorded.
  package var carried: [Manifest.RecordedFile] { manifests.first?.carried ?? [] }
}
