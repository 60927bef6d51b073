import Foundation

/// A file for what does not fit into memory. It has no name: the system removes it when it is closed, however
/// the process ends.
package final class TemporaryFile: Sendable {
  /// The name that it was created under, for messages.
  private let path: String
  private let descriptor: Int32

  /// - Throws: `FileError`, with the name of the file.
  package init(in folder: String) throws(FileError) {
    for _ in 0..<100 {
      let candidate = TemporaryName(target: folder + "/values").fresh()
      let descriptor = DescriptorPool.shared.opening {
        // Unsafe only because the call is variadic.
        unsafe open(candidate, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      }
      guard descriptor >= 0 else {
        if errno == EEXIST { continue }
        throw FileError.system("create", candidate)
      }
      self.descriptor = descriptor
      path = candidate
      // The name is a string that ends with a zero byte.
      guard unsafe unlink(candidate) == 0 else {
        throw FileError.system("remove", candidate)
      }
      return
    }
    throw .failed(action: "create", path: folder, code: EEXIST)
  }

  deinit { close(descriptor) }

  /// - Throws: `FileError`.
  package func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.byteCount {
      // In bounds: the system reads at most the bytes that are left.
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw FileError.system("write", path)
      }
      done += put
    }
  }

  /// Fills `bytes` with what was written.
  ///
  /// - Throws: `FileError`; `.truncated` where less was written.
  package func read(into bytes: inout MutableRawSpan, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.byteCount {
      let wanted = bytes.byteCount - done
      // In bounds: the system writes at most the bytes that are left.
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(descriptor, buffer.baseAddress! + done, wanted, off_t(offset + done))
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw FileError.system("read", path)
      }
      guard got > 0 else {
        throw .truncated(path: path, offset: offset + done, needed: wanted, available: 0)
      }
      done += got
    }
  }
}
