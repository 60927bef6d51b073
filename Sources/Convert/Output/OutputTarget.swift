import Formats
import Foundation

/// Why an output may not be written where the person asked.
package enum OutputError: DescribedError, Equatable {
  case isSource(output: String, source: String)
  case holdsOtherFiles(directory: String, names: [String])
  case wrongKind(path: String, wantsDirectory: Bool)

  package var message: String {
    switch self {
    case .isSource(let output, let source): "the output \(output) and the source \(source) overlap"
    case .holdsOtherFiles(let directory, let names):
      "\(directory) holds files that the new output would not replace: "
        + names.prefix(4).joined(separator: ", ")
    case .wrongKind(let path, let wantsDirectory):
      "\(path) is \(wantsDirectory ? "a file" : "a directory"); the output is "
        + (wantsDirectory ? "a directory" : "a file")
    }
  }

  package var hint: String? {
    switch self {
    case .isSource: "choose an output outside the source; the source is never written to"
    case .holdsOtherFiles: "choose another directory, or move those files away"
    case .wrongKind: "a name that ends in .safetensors makes one file, any other a directory"
    }
  }
}

/// Where a conversion writes: one file, or a directory.
package struct OutputTarget: Sendable {
  package let path: String
  package let isDirectory: Bool

  package init(path: String) {
    // A trailing slash must not change what the last component is.
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    isDirectory = !path.hasSuffix(".safetensors")
  }

  /// The name of the file, where the output is one.
  package var singleFileName: String? {
    isDirectory ? nil : URL(fileURLWithPath: path).lastPathComponent
  }

  /// Refuses an output that would touch the source, or destroy what nothing replaces.
  ///
  /// - Parameters:
  ///   - replacing: whether an existing output may be replaced.
  ///   - names: the files that the output will consist of.
  package func check(source: Checkpoint, replacing: Bool, names: [String]) throws {
    try checkApart(from: source.path)
    for file in source.files { try checkApart(from: file.path) }
    guard FileStatus.exists(path) else { return }
    guard FileStatus.isDirectory(path) == isDirectory else {
      throw OutputError.wrongKind(path: path, wantsDirectory: isDirectory)
    }
    guard replacing else { throw FileError.alreadyExists(path: path) }
    if isDirectory { try checkReplaceable(names: names) }
  }

  /// Neither may the output be the source, nor lie in it, nor hold it.
  package func checkApart(from source: String) throws {
    guard let real = FileStatus.realPath(source) else { return }
    let url = URL(fileURLWithPath: path)
    let parent = FileStatus.realPath(url.deletingLastPathComponent().path) ?? ""
    let target =
      FileStatus.realPath(path) ?? (parent == "/" ? "" : parent) + "/" + url.lastPathComponent
    if target == real || target.hasPrefix(real + "/") || real.hasPrefix(target + "/") {
      throw OutputError.isSource(output: path, source: source)
    }
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
