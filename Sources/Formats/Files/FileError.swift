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
  /// The file is another one, or was written to, since it was opened.
  case changed(path: String)
  case alreadyExists(path: String)
  /// An output's name is that of a symbolic link.
  case isLink(path: String)
  case missingDirectory(String, path: String)
  case nameTooLong(path: String)
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
    case .changed(let path): "\(path) changed while it was read"
    case .resized(let path, let planned, let found):
      "\(path) had \(planned) bytes when the work began, and has \(found) now"
    case .alreadyExists(let path): "\(path) exists already"
    case .isLink(let path): "\(path) is a symbolic link, and links are not replaced"
    case .missingDirectory(let directory, let path):
      "cannot create \(path): there is no directory \(directory)"
    case .nameTooLong(let path): "\(path) is a longer name than the file system allows"
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
    case .changed: "wait until nothing writes to it any more, then start again"
    case .isLink: "name what the link stands for, or remove the link"
    case .missingDirectory: "make the directory first, or correct the name"
    case .nameTooLong: "choose a name of at most 255 bytes"
    case .alreadyExists: "choose another name, or pass --force to replace it"
    case .failed(_, _, ENOSPC):
      "free some space, or write to another disk; nothing was left behind"
    case .isDirectory, .notRegular, .tooLarge, .failed: nil
    }
  }

  /// The same error with `new` in the place of `old`, where that is its path or the start of it.
  /// For files under construction: other errors than these cannot concern them.
  func replacingPath(_ old: String, with new: String) -> FileError {
    func renamed(_ path: String) -> String {
      path == old || path.hasPrefix(old + "/") ? new + path.dropFirst(old.count) : path
    }
    return switch self {
    case .changed(let path): .changed(path: renamed(path))
    case .truncated(let path, let offset, let needed, let available):
      .truncated(path: renamed(path), offset: offset, needed: needed, available: available)
    case .failed(let action, let path, let code):
      .failed(action: action, path: renamed(path), code: code)
    default: self
    }
  }
}
