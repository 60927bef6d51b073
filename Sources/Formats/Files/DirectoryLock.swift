import Foundation

/// A lock on a directory, by which a live process shows that the directory is its own. The system
/// drops it with the process, however that ends.
struct DirectoryLock: ~Copyable {
  private let descriptor: Int32
  /// False where the file system knows no locks.
  let isHeld: Bool

  /// Nil where the directory is gone or somebody else holds the lock.
  init?(path: String) {
    // Unsafe only because the call is variadic.
    let opened = DescriptorPool.shared.opening {
      unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    guard opened >= 0 else { return nil }
    let isLocked = flock(opened, LOCK_EX | LOCK_NB) == 0
    let isTaken = !isLocked && errno == EWOULDBLOCK
    // Whoever had the lock before may have removed the directory.
    let identity = try? FileState(descriptor: opened, path: path).identity
    guard !isTaken, identity == FileIdentity(path: path, followingLinks: false) else {
      close(opened)
      return nil
    }
    descriptor = opened
    isHeld = isLocked
  }

  deinit { close(descriptor) }
}
