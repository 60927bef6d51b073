import Foundation

/// A folder that people keep models in: directories of checkpoints, perhaps by organization, and files.
package struct ModelFolder: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  /// Paths of the models in it, sorted: itself where it is one, else the `.safetensors` files and the
  /// directories with weights or a `config.json` in it, or one level deeper.
  ///
  /// - Throws: `FileError` where the folder itself cannot be listed.
  package func models() throws(FileError) -> [String] {
    guard FileStatus.exists(path) else { throw .missing(path: path) }
    let entries: [String]
    do { entries = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw .system("list", path)
    }
    if Self.isModel(entries) { return [path] }
    let files = entries.filter { Self.isWeights($0) }.map { SourceTriage.join(path, $0) }
    return (files.filter(FileStatus.isRegular) + directories(entries, in: path, depth: 2)).sorted()
  }

  private func directories(_ entries: [String], in directory: String, depth: Int) -> [String] {
    guard depth > 0 else { return [] }
    return entries.filter { !$0.hasPrefix(".") }.flatMap { entry -> [String] in
      let place = SourceTriage.join(directory, entry)
      guard FileStatus.isDirectory(place),
        let inside = try? FileManager.default.contentsOfDirectory(atPath: place)
      else { return [] }
      if Self.isModel(inside) || inside.contains(where: Self.isWeights) { return [place] }
      return directories(inside, in: place, depth: depth - 1)
    }
  }

  /// Whether a directory of these entries is one checkpoint, not a collection of files.
  private static func isModel(_ entries: [String]) -> Bool {
    entries.contains("config.json") || entries.contains("model.safetensors.index.json")
  }

  private static func isWeights(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") && !name.hasPrefix(".")
  }
}
