import Foundation

/// A regular file open for reading at any offset, from any number of threads.
///
/// Reads go through `pread` into the caller's buffer: memory does not grow with the file, and a
/// file that is truncated meanwhile gives an error instead of a bus error.
package final class InputFile: Sendable {
  package let path: String
  /// Size when the file was opened.
  package let byteCount: Int
  private let descriptor: Int32

  /// - Throws: `FileError` where `path` is missing, a dangling link, a directory, or no regular
  ///   file. A pipe is refused without waiting for a writer.
  package init(path: String) throws(FileError) {
    // O_NONBLOCK: opening a pipe must not wait for its other end. It means nothing for files.
    // Unsafe only because the call is variadic.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw FileError.system("open", path) }
      throw Self.isLink(path) ? .danglingLink(path: path) : .missing(path: path)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let error = FileError.system("examine", path)
      close(descriptor)
      throw error
    }
    let type = status.st_mode & S_IFMT
    guard type == S_IFREG else {
      close(descriptor)
      throw type == S_IFDIR ? .isDirectory(path: path) : .notRegular(path: path)
    }
    self.path = path
    self.byteCount = Int(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Reads the bytes `range` of the file into `buffer`, from `bufferOffset` on.
  ///
  /// - Throws: `FileError.truncated` where the file ends inside `range`.
  package func read(
    _ range: Range<Int>, into buffer: inout [UInt8], at bufferOffset: Int = 0
  ) throws(FileError) {
    precondition(bufferOffset >= 0 && range.count <= buffer.count - bufferOffset)
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

  /// The whole file, which may have at most `limit` bytes.
  package func readAll(limit: Int) throws(FileError) -> [UInt8] {
    guard byteCount <= limit else {
      throw .tooLarge(path: path, byteCount: byteCount, limit: limit)
    }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    if byteCount > 0 { try read(0..<byteCount, into: &bytes) }
    return bytes
  }
}
