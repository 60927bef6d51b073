import Foundation

/// A file at one moment: which one it is, its size, and when it was last written to.
struct FileState: Hashable, Sendable {
  let identity: FileIdentity
  let byteCount: Int
  /// Seconds and nanoseconds of the last change to the bytes, and to anything.
  private let times: [Int]

  init(_ status: stat) {
    identity = FileIdentity(status)
    byteCount = Int(status.st_size)
    #if canImport(Darwin)
      let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (modified, changed) = (status.st_mtim, status.st_ctim)
    #endif
    times = [modified.tv_sec, modified.tv_nsec, changed.tv_sec, changed.tv_nsec]
  }

  /// Nil where nothing has this name.
  init?(path: String) {
    var status = stat()
    // The call fills in one `stat`, and the name ends with a zero byte.
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// - Throws: `FileError` where the system does not tell.
  init(descriptor: Int32, path: String) throws(FileError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw FileError.system("examine", path) }
    self.init(status)
  }
}
