import Foundation
import Synchronization

/// A new file open for writing at any offset. It belongs to a `StagedOutput`, which gives it its
/// final name or takes it away.
///
/// It may be closed between two writes, see `DescriptorPool`.
package final class OutputFile: Sendable {
  package let path: String
  private let identity: FileIdentity
  private let pool: DescriptorPool
  private let writtenCount = Atomic(0)

  /// Bytes after which the system is asked to begin with what it holds back.
  private static let writebackStep = 32 << 20

  /// Creates the file; one that is there already is an error.
  package convenience init(creating path: String) throws(FileError) {
    try self.init(creating: path, pool: .shared)
  }

  init(creating path: String, pool: DescriptorPool) throws(FileError) {
    let descriptor = pool.opening {
      // Unsafe only because the call is variadic.
      unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { throw FileError.system("create", path) }
    do {
      identity = try FileState(descriptor: descriptor, path: path).identity
      self.path = path
      self.pool = pool
    } catch {
      close(descriptor)
      throw error
    }
    pool.add(descriptor, for: ObjectIdentifier(self))
  }

  deinit { pool.remove(ObjectIdentifier(self)) }

  private func reopen() throws(FileError) -> Int32 {
    // Unsafe only because the call is variadic.
    let descriptor = pool.opening { unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) }
    guard descriptor >= 0 else { throw FileError.system("open", path) }
    guard (try? FileState(descriptor: descriptor, path: path))?.identity == identity else {
      close(descriptor)
      throw .changed(path: path)
    }
    return descriptor
  }

  /// Writes the bytes `range` of `buffer` at `offset` of the file.
  package func write(
    _ buffer: [UInt8], _ range: Range<Int>, at offset: Int
  ) throws(FileError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
    try pool.withDescriptor(of: ObjectIdentifier(self), open: reopen) {
      descriptor throws(FileError) in
      try write(descriptor, buffer, range, at: offset)
      let (before, after) = writtenCount.add(range.count, ordering: .relaxed)
      if before / Self.writebackStep != after / Self.writebackStep {
        let end = offset + range.count
        DurableSync.begin(descriptor, max(0, end - Self.writebackStep)..<end)
      }
    }
  }

  private func write(
    _ descriptor: Int32, _ buffer: [UInt8], _ range: Range<Int>, at offset: Int
  ) throws(FileError) {
    var done = 0
    while done < range.count {
      // In bounds by the precondition; the system reads at most the bytes that are left.
      let put = unsafe buffer.withUnsafeBytes { bytes in
        unsafe pwrite(
          descriptor, bytes.baseAddress! + range.lowerBound + done, range.count - done,
          off_t(offset + done))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw FileError.system("write", path)
      }
      done += put
    }
  }

  /// Asks the system to put everything written so far on the disk.
  ///
  /// - Throws: `FileError`, also where the system could not keep something that was written before.
  package func synchronize() throws(FileError) {
    try pool.withDescriptor(of: ObjectIdentifier(self), open: reopen) {
      descriptor throws(FileError) in
      try DurableSync.synchronize(descriptor, path: path)
    }
    if let code = pool.failure(of: ObjectIdentifier(self)) {
      throw .failed(action: "write", path: path, code: code)
    }
  }
}
