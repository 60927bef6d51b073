import Formats
import Foundation

/// Where a command writes: one file, or a directory.
package struct OutputTarget: Sendable {
  package let path: String
  package let isDirectory: Bool
  /// Whether it is one file in llama.cpp's format.
  package let isGGUF: Bool
  /// Called with what is no failure of the output and should be known.
  package var notice: @Sendable (OutputNotice) -> Void = { _ in }

  /// Endings by which people mean a file, in lower case.
  private static let fileEndings: Set<String> = [
    "safetensors", "gguf", "ggml", "imatrix", "bin", "pt", "pth", "ckpt", "pkl", "pickle", "npz",
    "npy", "h5", "hdf5", "keras", "msgpack", "onnx", "onnx_data", "ot", "tflite", "mlmodel", "json",
    "jsonl", "html", "txt", "dat", "zip", "tar", "gz", "tgz", "xz", "bz2", "zst", "7z",
  ]

  /// - Parameter takesGGUF: whether a name that ends in `.gguf` is meant so.
  package init(path: String, takesGGUF: Bool = false) {
    // A trailing slash must not change what the last component is.
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    isGGUF = takesGGUF && path.hasSuffix(".gguf")
    isDirectory = !path.hasSuffix(".safetensors") && !isGGUF
  }

  /// The name of the file, where the output is one.
  package var singleFileName: String? {
    isDirectory ? nil : URL(fileURLWithPath: path).lastPathComponent
  }

  /// Refuses a name that promises a file in another format, or misspells the one there is, where a
  /// directory would be made. A dot alone means nothing: `llama-3.1-4bit` is a directory.
  ///
  /// - Throws: `OutputError.unknownEnding`.
  package func checkEnding() throws(OutputError) {
    guard isDirectory, let dot = path.lastIndex(of: ".") else { return }
    let ending = String(path[path.index(after: dot)...])
    let word = ending.lowercased()
    guard Self.fileEndings.contains(word) || word.hasPrefix("safet") else { return }
    throw .unknownEnding(path: path, ending: ending)
  }

  /// Refuses an output that would touch what is read, or destroy what nothing replaces.
  ///
  /// - Parameters:
  ///   - replacing: whether an existing output may be replaced.
  ///   - names: the files that the output will consist of.
  package func check(source: Checkpoint, replacing: Bool, names: [String]) throws {
    try CommandInputs(source).check(output: path)
    guard FileStatus.exists(path) else { return }
    guard !FileStatus.isLink(path) else { throw FileError.isLink(path: path) }
    guard FileStatus.isDirectory(path) == isDirectory else {
      throw OutputError.wrongKind(path: path, wantsDirectory: isDirectory)
    }
    guard isDirectory || FileStatus.isRegular(path) else {
      throw FileError.notRegular(path: path)
    }
    guard replacing else { throw FileError.alreadyExists(path: path) }
    if isDirectory { try checkReplaceable(names: names) }
  }

  /// Neither may the output be this input, nor lie in it, nor hold it.
  package func checkApart(from input: String) throws {
    try CommandInputs([input]).check(output: path)
  }

  /// Everything in a directory that is replaced must be replaced by something, or be decant's own.
  private func checkReplaceable(names: [String]) throws {
    let kept = Set(names)
    let entries = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    let lost = entries.sorted().filter { entry in
      let full = path + "/" + entry
      if kept.contains(entry) || FileStatus.isDirectory(full) { return false }
      if entry == "model.safetensors.index.json" { return false }
      guard entry.hasSuffix(".safetensors"), let file = try? SafetensorsFile(path: full) else {
        return true
      }
      return file.header.metadata.allSatisfy { !$0.name.hasPrefix("decant.") }
    }
    guard lost.isEmpty else {
      throw OutputError.holdsOtherFiles(directory: path, names: lost)
    }
  }
}
