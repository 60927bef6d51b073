import Foundation

/// An output under construction: a directory with a temporary name beside the target, until
/// `commit` gives the directory, or one file in it, the target's name. An instance that goes away
/// uncommitted removes what it made; what a killed process left is removed by the next one.
package final class StagedOutput {
  package let target: String
  /// Where to build: an empty directory.
  package let directory: String
  private let replacing: Bool
  private let notice: (OutputNotice) -> Void
  private let lock: DirectoryLock

  /// - Parameters:
  ///   - replacing: whether something under the final name may be replaced at `commit`.
  ///   - notice: called with what is no failure and should be known.
  /// - Throws: `FileError.alreadyExists` where `target` exists and `replacing` is false; `.isLink`
  ///   where it is a link, for it would be unclear what is replaced; otherwise what the system
  ///   refuses, with the name of the target.
  package init(
    target: String, replacing: Bool, notice: @escaping (OutputNotice) -> Void = { _ in }
  ) throws(FileError) {
    try Self.check(target, replacing: replacing)
    self.target = target
    self.replacing = replacing
    self.notice = notice
    let name = TemporaryName(target: target)
    name.removeLeftovers(notice: notice)
    // Another process may sweep the directory away between its making and its locking.
    for _ in 0..<100 {
      let candidate = name.fresh()
      // The name is a string that ends with a zero byte.
      guard unsafe mkdir(candidate, 0o777) == 0 else {
        if errno == EEXIST { continue }
        throw FileError.system("create", target)
      }
      guard let lock = DirectoryLock(path: candidate) else { continue }
      directory = candidate
      self.lock = lock
      return
    }
    throw .failed(action: "create", path: target, code: EAGAIN)
  }

  private static func check(_ target: String, replacing: Bool) throws(FileError) {
    var status = stat()
    // The call fills in one `stat`, and the name ends with a zero byte.
    if unsafe lstat(target, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFLNK else { throw .isLink(path: target) }
      guard replacing else { throw .alreadyExists(path: target) }
      return
    }
    guard errno == ENOENT else {
      throw errno == ENAMETOOLONG ? .nameTooLong(path: target) : FileError.system("create", target)
    }
    // As text, so that the message has what was typed.
    guard let slash = target.lastIndex(of: "/"), slash != target.startIndex else { return }
    let parent = String(target[..<slash])
    guard FileStatus.exists(parent) else {
      throw .missingDirectory(parent, path: target)
    }
  }

  deinit {
    // After `commit` of the directory nothing has this name any more.
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Gives the finished output its final name in one step, after which it survives a power cut.
  ///
  /// Once this returns the output stands; that its name could not be synced is only a notice.
  ///
  /// - Parameter fileName: the one file of the directory that is the output; nil for all of it.
  package func commit(only fileName: String? = nil) throws(FileError) {
    if fileName == nil { try DurableSync.synchronize(tree: directory) }
    let finished = fileName.map { directory + "/" + $0 } ?? directory
    var retired: String?
    if !replacing {
      if try !AtomicRename.rename(finished, to: target, .exclusive) {
        guard !FileStatus.exists(target) else { throw .alreadyExists(path: target) }
        try move(finished, to: target)
      }
    } else if fileName != nil || !FileStatus.exists(target) {
      try move(finished, to: target)
    } else if try AtomicRename.rename(directory, to: target, .exchange) {
      retired = directory
    } else {
      retired = try replaceInTwoSteps()
    }
    let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
    do {
      try DurableSync.synchronize(directory: parent)
    } catch {
      notice(.notSynced(target: target, error: error))
    }
    if let retired { try? FileManager.default.removeItem(atPath: retired) }
  }

  /// The old directory is set aside first, so that at every moment one complete directory has the
  /// final name or lies beside it.
  ///
  /// - Returns: where the old directory is.
  private func replaceInTwoSteps() throws(FileError) -> String {
    let retired = directory + TemporaryName.setAsideEnding
    try move(target, to: retired)
    do {
      try move(directory, to: target)
    } catch {
      try move(retired, to: target)
      throw error
    }
    return retired
  }

  private func move(_ source: String, to destination: String) throws(FileError) {
    // Both names are strings that end with a zero byte.
    guard unsafe rename(source, destination) == 0 else {
      throw FileError.system("rename to", target)
    }
  }

  /// The error with the names that files will have, instead of those under which they are built.
  package func named(_ error: FileError) -> FileError {
    let name = URL(fileURLWithPath: target).lastPathComponent
    return error.replacingPath(directory + "/" + name, with: target)
      .replacingPath(directory, with: target)
  }
}
