import Formats
import Foundation

/// Everything that a command reads. No output may be any of it, lie in it, or hold it, by whatever
/// links and mounts it is reached: files are told apart by device and inode, not by their names.
package struct CommandInputs {
  /// Paths of files and directories.
  private let paths: [String]

  package init(_ paths: [String]) { self.paths = paths }

  /// - Parameter others: what else is read: adapters, dumps, a plan.
  package init(_ checkpoint: Checkpoint, and others: [String] = []) {
    self.init([checkpoint], and: others)
  }

  package init(_ checkpoints: [Checkpoint], and others: [String] = []) {
    paths =
      checkpoints.flatMap { checkpoint in
        [checkpoint.path] + checkpoint.files.map(\.path)
          + [checkpoint.configPath].compactMap(\.self)
      } + others
  }

  /// - Parameter output: need not exist.
  /// - Throws: `OutputError.isSource`.
  package func check(output: String) throws {
    let own = FileIdentity(path: output)
    let places = Set([own].compactMap(\.self) + FileIdentity.ancestors(of: output))
    // What is mounted into a directory is seen only by looking into it.
    let contents = own == nil ? [] : Self.contents(of: output, followingLinks: false)
    for path in paths {
      guard let identity = FileIdentity(path: path) else { continue }
      let holdsOutput =
        places.contains(identity)
        || !Self.contents(of: path, followingLinks: true).isDisjoint(with: places)
      let isHeld = own.map { FileIdentity.ancestors(of: path).contains($0) } ?? false
      guard !holdsOutput, !isHeld, !contents.contains(identity) else {
        throw OutputError.isSource(output: output, source: path)
      }
    }
  }

  /// All that lies in a directory; empty for a file.
  ///
  /// - Parameter followingLinks: whether a link to a file counts as the file; one to a directory
  ///   never does.
  private static func contents(of path: String, followingLinks: Bool) -> Set<FileIdentity> {
    guard FileStatus.isDirectory(path),
      let entries = FileManager.default.enumerator(atPath: path)
    else { return [] }
    var result = Set<FileIdentity>()
    for case let entry as String in entries {
      let full = path + "/" + entry
      let isFileLink = FileStatus.isLink(full) && FileStatus.isRegular(full)
      if let identity = FileIdentity(path: full, followingLinks: followingLinks && isFileLink) {
        result.insert(identity)
      }
    }
    return result
  }
}
