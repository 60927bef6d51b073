import Foundation

/// A new file open for writing at any offset. It belongs to a `StagedOutput`, which gives it its
/// final name or takes it away.
package final class OutputFile: Sendable {
  package let path: String
  private let descriptor: Int32

  /// Creates the file; one that is there already is an error.
  package init(creating path: String) throws(FileError) {
    // Unsafe only because the call is variadic.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.system("create", path) }
    self.path = path
  }

  deinit { close(descriptor) }

  /// Writes `count` bytes of `buffer`, from its start, at `offset` of the file.
  package func write(_ buffer: [UInt8], count: Int, at offset: Int) throws(FileError) {
    precondition(count <= buffer.count)
    var done = 0
    while done < count {
      // In bounds by the precondition; the system reads at most the bytes that are left.
      let put = unsafe buffer.withUnsafeBytes { bytes in
        unsafe pwrite(descriptor, bytes.baseAddress! + done, count - done, off_t(offset + done))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw FileError.system("write", path)
      }
      done += put
    }
  }

  /// Asks the system to put everything written so far on the disk.
  package func synchronize() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError.system("sync", path) }
  }
}
