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
