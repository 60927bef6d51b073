import Foundation

/// Renaming in ways that not every system and volume has.
enum AtomicRename {
  enum Way {
    /// The two names change places.
    case exchange
    /// Nothing may have the new name.
    case exclusive
  }

  /// - Returns: whether it was done; false where there is no such way here, and nothing happened.
  /// - Throws: `FileError` that names `destination`, `.alreadyExists` for `exclusive`.
  static func rename(
    _ source: String, to destination: String, _ way: Way
  ) throws(FileError) -> Bool {
    guard let result = call(source, destination, way) else { return false }
    if result == 0 { return true }
    switch errno {
    case ENOSYS, EINVAL, ENOTSUP, EOPNOTSUPP: return false
    case EEXIST where way == .exclusive: throw .alreadyExists(path: destination)
    default: throw FileError.system("rename to", destination)
    }
  }

  #if canImport(Darwin)
    private static func call(_ source: String, _ destination: String, _ way: Way) -> Int32? {
      // Both names are strings that end with a zero byte.
      unsafe renamex_np(source, destination, UInt32(way == .exchange ? RENAME_SWAP : RENAME_EXCL))
    }
  #else
    private typealias Call =
      @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    /// `renameat2`, which the C library has and its Swift module lacks.
    private static let renameat2: Call? = {
      guard let symbol = unsafe dlsym(nil, "renameat2") else { return nil }
      // The signature is that of rename(2); a nil handle stands for all loaded libraries.
      return unsafe unsafeBitCast(symbol, to: Call.self)
    }()

    private static func call(_ source: String, _ destination: String, _ way: Way) -> Int32? {
      // RENAME_NOREPLACE is 1 and RENAME_EXCHANGE is 2. Both names end with a zero byte.
      unsafe renameat2?(AT_FDCWD, source, AT_FDCWD, destination, way == .exchange ? 2 : 1)
    }
  #endif
}
