import Foundation

/// A file or directory under construction: it has a temporary name beside its target until
/// `commit` gives it the final one. An instance that goes away uncommitted removes what it made.
package final class StagedOutput {
  package enum Kind: Sendable { case file, directory }

  package let target: String
  /// Where to build: a path that does not exist yet (file), or an empty directory.
  package let stagingPath: String
  private let kind: Kind
  private let replacing: Bool
  private var committed = false

  /// - Parameter replacing: whether something under the final name may be replaced at `commit`.
  /// - Throws: `FileError.alreadyExists` where `target` exists and `replacing` is false; otherwise
  ///   what the system refuses.
  package init(target: String, kind: Kind, replacing: Bool) throws {
    let url = URL(fileURLWithPath: target)
    self.target = target
    self.kind = kind
    self.replacing = replacing
    if !replacing, FileStatus.exists(target) { throw FileError.alreadyExists(path: target) }
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    stagingPath =
      url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).decant-\(tag).partial").path
    if kind == .directory, unsafe mkdir(stagingPath, 0o777) != 0 {
      committed = true  // nothing to remove
      throw FileError.system("create", stagingPath)
    }
  }

  deinit {
    if !committed { try? FileManager.default.removeItem(atPath: stagingPath) }
  }

  /// Gives the finished output its final name in one step, after which it survives a power cut.
  ///
  /// A directory that is replaced is first swapped out in the same way and removed afterwards, so
  /// that at every moment one complete directory has the final name or lies beside it.
  package func commit() throws(FileError) {
    try Self.synchronize(directory: kind == .directory ? stagingPath : nil)
    if FileStatus.exists(target) {
      guard replacing else { throw .alreadyExists(path: target) }
      if kind == .directory {
        let retired = stagingPath + ".old"
        guard unsafe rename(target, retired) == 0 else { throw FileError.system("set aside", target) }
        guard unsafe rename(stagingPath, target) == 0 else {
          let error = FileError.system("rename", stagingPath)
          _ = unsafe rename(retired, target)
          throw error
        }
        committed = true
        try? FileManager.default.removeItem(atPath: retired)
        return try synchronizeParent()
      }
    }
    guard unsafe rename(stagingPath, target) == 0 else { throw FileError.system("rename", stagingPath) }
    committed = true
    try synchronizeParent()
  }

  private func synchronizeParent() throws(FileError) {
    try Self.synchronize(
      directory: URL(fileURLWithPath: target).deletingLastPathComponent().path)
  }

  private static func synchronize(directory: String?) throws(FileError) {
    guard let directory else { return }
    // Unsafe only because the call is variadic.
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.system("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError.system("sync", directory) }
  }
}

/// What stands under a path.
package enum FileStatus {
  /// Whether anything has this name, a dangling link included.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The path with every link followed, or nil where it leads nowhere.
  package static func realPath(_ path: String) -> String? {
    // The call allocates the text it returns; it is copied, then freed.
    guard let text = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }
}
