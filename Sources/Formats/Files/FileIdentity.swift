import Foundation

/// Which file something is, whatever names, links or mounts lead to it.
package struct FileIdentity: Hashable, Sendable {
  private let device: UInt64
  private let inode: UInt64

  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// Nil where nothing has this name, or where a link that is followed leads nowhere.
  package init?(path: String, followingLinks: Bool = true) {
    var status = stat()
    // The call fills in one `stat`, and the name ends with a zero byte.
    let result = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
    guard result == 0 else { return nil }
    self.init(status)
  }

  /// The directories that hold `path`, from the nearest one that exists up to the root. The path
  /// itself need not exist; links in it are followed.
  package static func ancestors(of path: String) -> [FileIdentity] {
    var url = URL(fileURLWithPath: FileStatus.realPath(path) ?? path)
    repeat { url.deleteLastPathComponent() } while FileStatus.realPath(url.path) == nil
    // Without links in it, a path holds the names of its true parents.
    url = URL(fileURLWithPath: FileStatus.realPath(url.path) ?? "/")
    var result = [FileIdentity(path: url.path)].compactMap(\.self)
    while url.path != "/" {
      url.deleteLastPathComponent()
      if let identity = FileIdentity(path: url.path) { result.append(identity) }
    }
    return result
  }
}

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
