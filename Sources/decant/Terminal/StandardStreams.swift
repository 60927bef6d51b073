import Formats
import Foundation

/// Why standard output did not take all that was written.
enum OutputError: Error, Equatable {
  /// The reader has gone, as `head` does once it has its lines.
  case closed
  case failed(errno: Int32)
}

extension OutputError: DescribedError {
  var message: String {
    switch self {
    case .closed: return "standard output was closed before all was written"
    case .failed(let errno):
      // `strerror` returns a terminated string that lives until its next call on this thread.
      let reason = unsafe String(cString: strerror(errno))
      return "cannot write to standard output: \(reason)"
    }
  }

  var hint: String? { nil }
}

/// What is read where no file is named.
enum StandardInput {
  private static let blockSize = 1 << 16

  /// Reads up to the end.
  ///
  /// - Parameter limit: most bytes that there may be.
  /// - Throws: `FileError`.
  static func readAll(limit: Int) throws(FileError) -> [UInt8] {
    let name = "standard input"
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: blockSize)
    while true {
      // The system writes at most as many bytes as the buffer has.
      let count = unsafe block.withUnsafeMutableBytes {
        unsafe read(STDIN_FILENO, $0.baseAddress, $0.count)
      }
      if count > 0 {
        bytes += block[..<count]
        guard bytes.count <= limit else {
          throw .tooLarge(path: name, byteCount: bytes.count, limit: limit)
        }
      } else if count == 0 {
        return bytes
      } else if errno != EINTR {
        throw FileError.system("read", name)
      }
    }
  }
}

/// Where results go.
enum StandardOutput {
  /// Writes all of `text` at once; nothing is held back.
  static func write(_ text: String) throws(OutputError) {
    try writeAll(text, to: STDOUT_FILENO)
  }
}

/// Where errors, notes and progress go.
enum StandardError {
  /// Writes all of `text`. A failure goes unreported, for there is nowhere to report it.
  static func write(_ text: String) {
    try? writeAll(text, to: STDERR_FILENO)
  }
}

/// Makes a write to a pipe without a reader fail, instead of ending the process in mid-work.
func ignoreBrokenPipes() {
  _ = signal(SIGPIPE, SIG_IGN)
}

/// Puts the null device where a standard stream is closed, so that no file that is opened later gets
/// its number, and a report written into it.
func holdStandardStreams() {
  for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
    // Opening takes the lowest free number, which is this one. Unsafe only because it is variadic.
    _ = unsafe open("/dev/null", O_RDWR)
  }
}

private func writeAll(_ text: String, to stream: Int32) throws(OutputError) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    // `write` reads at most `count` bytes from the buffer, and keeps nothing.
    let count = unsafe rest.withUnsafeBytes { unsafe write(stream, $0.baseAddress, $0.count) }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EPIPE {
      throw .closed
    } else if errno != EINTR {
      throw .failed(errno: errno)
    }
  }
}
