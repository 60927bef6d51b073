import Foundation

/// What the operating system, or the state of a file, refused. Offsets and sizes are bytes.
package enum FileError: DescribedError, Equatable {
  case missing(path: String)
  /// A symbolic link whose target does not exist.
  case danglingLink(path: String)
  case isDirectory(path: String)
  /// A pipe, socket or device.
  case notRegular(path: String)
  /// The file ended before the bytes that its size, when it was opened, promised.
  case truncated(path: String, offset: Int, needed: Int, available: Int)
  /// The file has another size than when the work was planned.
  case resized(path: String, planned: Int, found: Int)
  case tooLarge(path: String, byteCount: Int, limit: Int)
  case alreadyExists(path: String)
  /// A system call failed with this value of `errno`.
  case failed(action: String, path: String, code: Int32)

  /// The failure of `action` on `path` that `errno` tells of.
  package static func system(_ action: String, _ path: String) -> FileError {
    .failed(action: action, path: path, code: errno)
  }

  package var message: String {
    switch self {
    case .missing(let path): "no such file or directory: \(path)"
    case .danglingLink(let path): "\(path) is a link to something that does not exist"
    case .isDirectory(let path): "\(path) is a directory where a file is needed"
    case .notRegular(let path): "\(path) is not a regular file"
    case .truncated(let path, let offset, let needed, let available):
      "\(path) ended while it was read: \(needed) bytes wanted at byte \(offset), \(available) there"
    case .tooLarge(let path, let byteCount, let limit):
      "\(path) has \(byteCount) bytes, more than the \(limit) that such a file may have"
    case .resized(let path, let planned, let found):
      "\(path) had \(planned) bytes when the work began, and has \(found) now"
    case .alreadyExists(let path): "\(path) exists already"
    case .failed(let action, let path, let code):
      // The system's text is a string that ends with a zero byte.
      "cannot \(action) \(path): \(unsafe String(cString: strerror(code)))"
    }
  }

  package var hint: String? {
    switch self {
    case .missing: nil
    case .danglingLink: "fetch the file that the link stands for, or copy it here"
    case .resized: "something writes to the file; wait until it is complete"
    case .truncated: "something shortened the file meanwhile; wait until it is complete"
    case .alreadyExists: "choose another name, or pass --force to replace it"
    case .failed(_, _, ENOSPC):
      "free some space, or write to another disk; nothing was left behind"
    case .isDirectory, .notRegular, .tooLarge, .failed: nil
    }
  }
}
