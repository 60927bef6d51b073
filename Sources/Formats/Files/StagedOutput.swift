import Foundation

/// An output under construction: a directory with a temporary name beside the target, until
/// `commit` gives the directory, or one file in it, the target's name. An instance that goes away
/// uncommitted removes what it made.
package final class StagedOutput {
  package let target: String
  /// Where to build: an empty directory.
  package let directory: String
  private let replacing: Bool

  /// - Parameter replacing: whether something under the final name may be replaced at `commit`.
  /// - Throws: `FileError.alreadyExists` where `target` exists and `replacing` is false; otherwise
  ///   what the system refuses.
  package init(target: String, replacing: Bool) throws(FileError) {
    let url = URL(fileURLWithPath: target)
    self.target = target
    self.replacing = replacing
    if !replacing, FileStatus.exists(target) { throw .alreadyExists(path: target) }
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    directory =
      url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).decant-\(tag).partial").path
    // The name is a string that ends with a zero byte.
    guard unsafe mkdir(directory, 0o777) == 0 else { throw FileError.system("create", directory) }
  }

  deinit {
    // After `commit` of the directory nothing has this name any more.
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Gives the finished output its final name in one step, after which it survives a power cut.
  ///
  /// A directory that is replaced is first set aside in the same way and removed afterwards, so
  /// that at every moment one complete directory has the final name or lies beside it.
  ///
  /// - Parameter fileName: the one file of the directory that is the output; nil for all of it.
  package func commit(only fileName: String? = nil) throws(FileError) {
    if let fileName {
      guard replacing || !FileStatus.exists(target) else { throw .alreadyExists(path: target) }
      try move(directory + "/" + fileName, to: target)
      return try synchronizeParent()
    }
    try Self.synchronize(directory)
    guard FileStatus.exists(target) else {
      try move(directory, to: target)
      return try synchronizeParent()
    }
    guard replacing else { throw .alreadyExists(path: target) }
    let retired = directory + ".old"
    try move(target, to: retired)
    do {
      try move(directory, to: target)
    } catch {
      try move(retired, to: target)
      throw error
    }
    try synchronizeParent()
    try? FileManager.default.removeItem(atPath: retired)
  }

  private func move(_ source: String, to destination: String) throws(FileError) {
    // Both names are strings that end with a zero byte.
    guard unsafe rename(source, destination) == 0 else { throw FileError.system("rename", source) }
  }

  private func synchronizeParent() throws(FileError) {
    try Self.synchronize(URL(fileURLWithPath: target).deletingLastPathComponent().path)
  }

  private static func synchronize(_ directory: String) throws(FileError) {
    // Unsafe only because the call is variadic.
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.system("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError.system("sync", directory) }
  }
}
