import Foundation

/// Looks at a source before it is parsed, for the ways in which downloads go wrong.
package enum SourceTriage {
  /// Opens a weight file, naming what stands in its place where it is something well known.
  package static func open(_ path: String) throws -> SafetensorsFile {
    let input = try InputFile(path: path)
    var start = [UInt8](repeating: 0, count: min(512, input.byteCount))
    try input.read(0..<start.count, into: &start)
    let text = String(decoding: start, as: UTF8.self)
    if text.hasPrefix("version https://git-lfs.github.com/spec/") {
      let size = text.split(separator: "\n").first { $0.hasPrefix("size ") }
      throw SourceError.gitLFSPointer(path: path, byteCount: size.map { String($0.dropFirst(5)) })
    }
    let opening = text.drop { $0.isWhitespace }.prefix(16).lowercased()
    if opening.hasPrefix("<!doctype html") || opening.hasPrefix("<html") {
      throw SourceError.webPage(path: path)
    }
    if start.starts(with: Array("GGUF".utf8)) { throw SourceError.gguf(path: path) }
    if path.lowercased().hasSuffix(".json"), opening.hasPrefix("{") {
      let home = URL(fileURLWithPath: path).deletingLastPathComponent().path
      throw SourceError.notWeights(path: path, directory: path.contains("/") ? home : ".")
    }
    // The length field of a sound file may begin like either, so the header's brace decides.
    let mayBeHeader = start.count > 8 && start[8] == UInt8(ascii: "{")
    let isArchive = start.starts(with: [0x50, 0x4B, 0x03, 0x04])
    if !mayBeHeader, isArchive || start.starts(with: [0x80, 0x02]) {
      throw SourceError.pickle(path: path)
    }
    return try SafetensorsFile(input)
  }

  /// Refuses a directory in which a download has not finished.
  static func checkDownloads(_ directory: String, entries: [String]) throws {
    let endings = [".incomplete", ".part", ".crdownload", ".aria2", ".download"]
    if let partial = entries.first(where: { name in
      endings.contains { name.hasSuffix($0) } && name.contains(".safetensors")
    }) {
      throw SourceError.unfinishedDownload(path: join(directory, partial))
    }
  }

  /// What a directory without safetensors files is, where that is something well known.
  static func explain(emptyDirectory directory: String, entries: [String]) -> SourceError {
    if HubCache.isModelFolder(directory) {
      return .cacheFolder(directory: directory, snapshot: HubCache.snapshot(in: directory))
    }
    if let name = entries.first(where: { name in
      [".bin", ".pt", ".pth"].contains { name.hasSuffix($0) }
        && ["pytorch_model", "model", "consolidated"].contains { name.hasPrefix($0) }
    }) {
      return .onlyPickles(directory: directory, name: name)
    }
    if let name = entries.first(where: { $0.lowercased().hasSuffix(".gguf") }) {
      return .gguf(path: join(directory, name))
    }
    return .noWeights(directory: directory)
  }

  static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// Refuses a name that is not a plain entry of the directory, or a link that leads out of it.
  ///
  /// One link out is common and allowed: in the Hugging Face cache `snapshots/<revision>/` holds
  /// links into the `blobs/` directory beside `snapshots/`.
  ///
  /// - Parameter root: the checkpoint's directory, where `directory` lies inside it.
  package static func checkInside(
    _ directory: String, name: String, of origin: String, root: String? = nil
  ) throws {
    let leaves = SourceError.leavesDirectory(path: origin, name: name)
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0") else {
      throw leaves
    }
    guard let real = FileStatus.realPath(join(directory, name)),
      let home = FileStatus.realPath(root ?? directory)
    else { return }  // missing or dangling: opening it says so
    if real.hasPrefix(home == "/" ? home : home + "/") { return }
    let snapshots = URL(fileURLWithPath: home).deletingLastPathComponent()
    let blobs = snapshots.deletingLastPathComponent().appendingPathComponent("blobs")
    let parent = URL(fileURLWithPath: real).deletingLastPathComponent()
    if snapshots.lastPathComponent == "snapshots", parent.path == blobs.path { return }
    throw leaves
  }
}
