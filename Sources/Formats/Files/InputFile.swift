import Foundation

/// A regular file open for reading at any offset, from any number of threads.
///
/// Reads go through `pread` into the caller's buffer: memory does not grow with the file, and a
/// file that is truncated meanwhile gives an error instead of a bus error. The file may be closed
/// between two reads, see `DescriptorPool`; what is opened again is the same file, or an error.
package final class InputFile: Sendable {
  package let path: String
  /// As the file was when it was opened.
  private let state: FileState
  private let pool: DescriptorPool

  /// - Throws: `FileError` where `path` is missing, a dangling link, a directory, or no regular
  ///   file. A pipe is refused without waiting for a writer.
  package convenience init(path: String) throws(FileError) {
    try self.init(path: path, pool: .shared)
  }

  init(path: String, pool: DescriptorPool) throws(FileError) {
    let descriptor = pool.opening { Self.open(path) }
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw FileError.system("open", path) }
      throw FileStatus.isLink(path) ? .danglingLink(path: path) : .missing(path: path)
    }
    do {
      let status = try FileState(regular: descriptor, path: path)
      self.path = path
      self.pool = pool
      state = status
    } catch {
      close(descriptor)
      throw error
    }
    pool.add(descriptor, for: ObjectIdentifier(self))
  }

  deinit { pool.remove(ObjectIdentifier(self)) }

  /// Size when the file was opened.
  package var byteCount: Int { state.byteCount }

  /// Holds the file that now has the name against the one that was opened: the same one, of the same
  /// size, not written to since. Whoever made something of the whole file asks at the end.
  ///
  /// - Throws: `FileError.changed`.
  package func checkUnchanged() throws(FileError) {
    guard FileState(path: path) == state else { throw .changed(path: path) }
  }

  private static func open(_ path: String) -> Int32 {
    // O_NONBLOCK: opening a pipe must not wait for its other end. It means nothing for files.
    // Unsafe only because the call is variadic.
    unsafe Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  }

  private func reopen() throws(FileError) -> Int32 {
    let descriptor = pool.opening { Self.open(path) }
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .changed(path: path) : FileError.system("open", path)
    }
    guard (try? FileState(descriptor: descriptor, path: path)) == state else {
      close(descriptor)
      throw .changed(path: path)
    }
    return descriptor
  }

  /// Reads the bytes `range` of the file into `buffer`, from `bufferOffset` on.
  ///
  /// - Throws: `FileError.truncated` where the file ends inside `range`.
  package func read(
    _ range: Range<Int>, into buffer: inout [UInt8], at bufferOffset: Int = 0
  ) throws(FileError) {
    precondition(bufferOffset >= 0 && range.count <= buffer.count - bufferOffset)
    guard !range.isEmpty else { return }
    try pool.withDescriptor(of: ObjectIdentifier(self), open: reopen) {
      descriptor throws(FileError) in
      try read(descriptor, range, into: &buffer, at: bufferOffset)
    }
  }

  private func read(
    _ descriptor: Int32, _ range: Range<Int>, into buffer: inout [UInt8], at bufferOffset: Int
  ) throws(FileError) {
    var done = 0
    while done < range.count {
      let wanted = range.count - done
      let start = range.lowerBound + done
      // In bounds by the precondition; the system writes at most `wanted` bytes.
      let got = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor, bytes.baseAddress! + bufferOffset + done, wanted, off_t(start))
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw FileError.system("read", path)
      }
      if got == 0 {
        throw .truncated(path: path, offset: start, needed: wanted, available: 0)
      }
      done += got
    }
  }

  /// Bytes that are read at a time by whoever goes through a file.
  package static let blockSize = 1 << 20

  /// Reads `range` of the file block by block.
  ///
  /// - Parameter body: given a buffer and how many bytes from its start are the next.
  /// - Throws: `FileError`, what `body` throws.
  package func forEachBlock(
    of range: Range<Int>, _ body: (_ bytes: [UInt8], _ count: Int) throws -> Void
  ) throws {
    var buffer = [UInt8](repeating: 0, count: min(Self.blockSize, range.count))
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize) {
      let count = min(Self.blockSize, range.upperBound - start)
      try read(start..<start + count, into: &buffer)
      try body(buffer, count)
    }
  }

  /// The digest of the whole file.
  ///
  /// - Parameter check: called before every block; may throw to stop.
  /// - Throws: `FileError`, what `check` throws.
  package func digest(_ rule: Digest.Rule, check: () throws -> Void = {}) throws -> Digest {
    try digest(rule, of: 0..<byteCount, check: check)
  }

  /// The digest of the bytes `range` of the file.
  package func digest(
    _ rule: Digest.Rule, of range: Range<Int>, check: () throws -> Void
  ) throws -> Digest {
    var hasher = DigestHasher(rule)
    try forEachBlock(of: range) { bytes, count in
      try check()
      hasher.update(bytes, 0..<count)
    }
    return hasher.digest
  }

  /// The whole file, which may have at most `limit` bytes.
  package func readAll(limit: Int) throws(FileError) -> [UInt8] {
    guard byteCount <= limit else {
      throw .tooLarge(path: path, byteCount: byteCount, limit: limit)
    }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    if byteCount > 0 { try read(0..<byteCount, into: &bytes) }
    try checkUnchanged()
    return bytes
  }
}

extension FileState {
  /// - Throws: `FileError` where it is no regular file.
  fileprivate init(regular descriptor: Int32, path: String) throws(FileError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw FileError.system("examine", path) }
    let type = status.st_mode & S_IFMT
    guard type == S_IFREG else {
      throw type == S_IFDIR ? .isDirectory(path: path) : .notRegular(path: path)
    }
    self.init(status)
  }
}
