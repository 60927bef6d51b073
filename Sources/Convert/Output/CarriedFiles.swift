import Formats
import Foundation

/// The files of a checkpoint directory that go along unchanged: tokenizer, generation settings,
/// chat template, licence, and what else lies there, directories included.
package struct CarriedFiles: Sendable {
  /// Paths relative to the directory, in order.
  package let names: [String]
  /// Left behind: weights in other formats, and hidden files.
  package let skipped: [String]
  private let directory: String
  /// As a manifest will record them, without their digests.
  let planned: [Manifest.RecordedFile]

  private static let replaced: Set<String> = ["config.json", "model.safetensors.index.json"]
  private static let otherWeights: Set<String> = [
    "safetensors", "bin", "pt", "pth", "ckpt", "gguf", "ggml", "h5", "msgpack", "onnx", "ot",
    "onnx_data", "npz", "tflite", "mlmodel", "pkl", "pickle",
  ]
  private static let depthLimit = 8

  /// Lists what lies in the directory that `checkpoint` was read from; nil for a single file.
  ///
  /// - Throws: `FileError`; `SourceError.leavesDirectory` for a link that leads out of it.
  package init?(beside checkpoint: Checkpoint) throws {
    guard let directory = checkpoint.directory else { return nil }
    var names: [String] = []
    var skipped: [String] = []
    try Self.list(
      directory, root: directory, prefix: "", depth: 0, into: &names, skipped: &skipped)
    self.directory = directory
    self.names = names
    planned = try names.map {
      let input = try InputFile(path: directory + "/" + $0)
      return Manifest.RecordedFile(name: $0, byteCount: input.byteCount, digest: .blank)
    }
    let converted = Set(checkpoint.fileNames)
    self.skipped = skipped.filter { !converted.contains($0) }
  }

  private static func list(
    _ directory: String, root: String, prefix: String, depth: Int, into names: inout [String],
    skipped: inout [String]
  ) throws {
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch { throw FileError.system("list", directory) }
    for entry in entries {
      let path = directory + "/" + entry
      let name = prefix + entry
      let ending = entry.split(separator: ".").last.map { $0.lowercased() } ?? ""
      if entry.hasPrefix(".") {
        skipped.append(name)
      } else if prefix.isEmpty, replaced.contains(entry) {
        continue
      } else if otherWeights.contains(ending) || entry.hasSuffix(".safetensors.index.json")
        || entry.hasSuffix(".bin.index.json")
      {
        skipped.append(name)
      } else {
        try SourceTriage.checkInside(directory, name: entry, of: path, root: root)
        if !FileStatus.isDirectory(path) {
          names.append(name)
        } else if depth < depthLimit {
          try list(
            path, root: root, prefix: name + "/", depth: depth + 1, into: &names, skipped: &skipped)
        } else {
          skipped.append(name)
        }
      }
    }
  }

  package var byteCount: Int { planned.reduce(0) { $0 + $1.byteCount } }

  /// Copies all of them into `target`, an existing directory, and syncs each.
  ///
  /// - Parameter recorded: what each must be, where a manifest says it.
  /// - Returns: what was copied.
  /// - Throws: `PackedError` where a file is not as recorded; `FileError`, `CancellationError`.
  func copy(
    to target: String, recorded: [Manifest.RecordedFile], cancellation: Cancellation
  ) throws -> [Manifest.RecordedFile] {
    let expected = Dictionary(
      recorded.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    if let lost = recorded.first(where: { !names.contains($0.name) }) {
      throw PackedError.carriedMissing(path: directory + "/" + lost.name)
    }
    return try planned.map { file in
      let name = file.name
      let rule = expected[name]?.digest.rule ?? .blocks
      var hashers = DigestHashers([.blocks, rule])
      let input = try InputFile(path: directory + "/" + name)
      guard input.byteCount == file.byteCount else {
        throw FileError.resized(
          path: input.path, planned: file.byteCount, found: input.byteCount)
      }
      if name.contains("/") {
        try FileManager.default.createDirectory(
          atPath: URL(fileURLWithPath: target + "/" + name).deletingLastPathComponent().path,
          withIntermediateDirectories: true)
      }
      let output = try OutputFile(creating: target + "/" + name)
      var position = 0
      try input.forEachBlock(of: 0..<input.byteCount) { bytes, count in
        try cancellation.check()
        hashers.update(bytes, 0..<count)
        try output.write(bytes, 0..<count, at: position)
        position += count
      }
      try input.checkUnchanged()
      try output.synchronize()
      func copied(_ rule: Digest.Rule) -> Manifest.RecordedFile {
        .init(name: name, byteCount: input.byteCount, digest: hashers.digest(rule))
      }
      if let error = expected[name]?.difference(of: copied(rule), path: input.path) { throw error }
      return copied(.blocks)
    }
  }
}

extension Manifest.RecordedFile {
  /// How the file at `path` is not what this records; nil where it is.
  func difference(of found: Manifest.RecordedFile, path: String) -> PackedError? {
    if found.byteCount != byteCount {
      return .carriedSize(path: path, found: found.byteCount, recorded: byteCount)
    }
    if found.digest != digest {
      return .carriedDamaged(path: path, found: found.digest, recorded: digest)
    }
    return nil
  }
}
