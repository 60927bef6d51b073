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

  package func byteCount() throws -> Int {
    try names.reduce(0) { try $0 + InputFile(path: directory + "/" + $1).byteCount }
  }

  /// Copies all of them into `target`, an existing directory, and syncs each.
  package func copy(to target: String, cancellation: Cancellation) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    for name in names {
      let input = try InputFile(path: directory + "/" + name)
      if name.contains("/") {
        try FileManager.default.createDirectory(
          atPath: URL(fileURLWithPath: target + "/" + name).deletingLastPathComponent().path,
          withIntermediateDirectories: true)
      }
      let output = try OutputFile(creating: target + "/" + name)
      for start in stride(from: 0, to: input.byteCount, by: buffer.count) {
        try cancellation.check()
        let count = min(buffer.count, input.byteCount - start)
        try input.read(start..<start + count, into: &buffer)
        try output.write(buffer, count: count, at: start)
      }
      try input.checkUnchanged()
      try output.synchronize()
    }
  }
}
