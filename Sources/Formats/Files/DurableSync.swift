import Foundation

/// Puts on the disk what the system still holds back.
enum DurableSync {
  /// - Throws: `FileError`.
  static func synchronize(_ descriptor: Int32, path: String) throws(FileError) {
    #if canImport(Darwin)
      // There `fsync` hands bytes to the drive, which may lose them; not every volume has more.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw FileError.system("sync", path) }
    }
  }

  /// Has the system begin to put bytes that were just written on the disk, and does not wait for it: the
  /// less is left for `synchronize`, which also tells what went wrong.
  static func begin(_ descriptor: Int32, _ range: Range<Int>) {
    #if os(Linux)
      // Linux begins to write what it is told is not needed in memory; what is not yet on the disk stays.
      _ = posix_fadvise(
        descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_DONTNEED)
    #endif
  }

  /// Syncs the names in a directory. Some network file systems have no such thing; there it does
  /// nothing.
  ///
  /// - Throws: `FileError`.
  static func synchronize(directory path: String) throws(FileError) {
    // Unsafe only because the call is variadic.
    let descriptor = DescriptorPool.shared.opening {
      unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard descriptor >= 0 else { throw FileError.system("open", path) }
    defer { close(descriptor) }
    do {
      try synchronize(descriptor, path: path)
    } catch .failed(_, _, EINVAL), .failed(_, _, ENOTSUP) {
      return
    }
  }

  /// Syncs the names in a directory and in all directories below it, the inner ones first.
  ///
  /// - Throws: `FileError`.
  static func synchronize(tree path: String) throws(FileError) {
    let entries: [String]
    do {
      entries = try FileManager.default.subpathsOfDirectory(atPath: path)
    } catch { throw FileError.system("list", path) }
    for entry in entries.sorted().reversed() where FileStatus.isDirectory(path + "/" + entry) {
      try synchronize(directory: path + "/" + entry)
    }
    try synchronize(directory: path)
  }
}
