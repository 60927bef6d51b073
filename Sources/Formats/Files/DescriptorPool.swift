import Foundation
import Synchronization

/// The descriptors of all files in use. Models have hundreds of shards and processes often only a
/// few descriptors, so that few files are open at a time: one that nobody uses just now is closed
/// where another is needed, and opened again when its turn comes.
final class DescriptorPool: Sendable {
  static let shared = DescriptorPool(limit: 48)

  private struct Entry {
    let descriptor: Int32
    var userCount = 0
    var lastUse = 0
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    /// Files whose closing failed, with what the system said.
    var failures: [ObjectIdentifier: Int32] = [:]
    var clock = 0

    /// Takes the file out that was not used for longest; nil where all are in use.
    mutating func removeOldest() -> (key: ObjectIdentifier, descriptor: Int32)? {
      let idle = entries.filter { $0.value.userCount == 0 }
      guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
      entries[oldest.key] = nil
      return (oldest.key, oldest.value.descriptor)
    }
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: files that stay open; more are only while that many are used at once.
  init(limit: Int) { self.limit = limit }

  var openCount: Int { state.withLock { $0.entries.count } }

  /// Calls `open`, which returns a descriptor or a negative number, and once more for every idle file
  /// that can be closed where the system has no descriptors left.
  func opening(_ open: () -> Int32) -> Int32 {
    while true {
      let descriptor = open()
      guard descriptor < 0, errno == EMFILE || errno == ENFILE else { return descriptor }
      let code = errno
      guard let oldest = state.withLock({ $0.removeOldest() }) else {
        errno = code
        return descriptor
      }
      close(oldest)
    }
  }

  /// Takes over a descriptor that `key` has opened.
  func add(_ descriptor: Int32, for key: ObjectIdentifier) {
    state.withLock { state in
      state.clock += 1
      state.entries[key] = Entry(descriptor: descriptor, lastUse: state.clock)
    }
    shrink()
  }

  /// Lends the descriptor of `key` to `body`, opened with `open` where it is not open.
  func withDescriptor<Result>(
    of key: ObjectIdentifier, open: () throws(FileError) -> Int32,
    _ body: (Int32) throws(FileError) -> Result
  ) throws(FileError) -> Result {
    let descriptor: Int32
    if let present = borrow(key) {
      descriptor = present
    } else {
      let opened = try open()
      // Another thread may have been faster.
      let taken = state.withLock { state in
        state.entries[key, default: Entry(descriptor: opened)].userCount += 1
        return state.entries[key]?.descriptor ?? opened
      }
      if taken != opened { _ = Foundation.close(opened) }
      descriptor = taken
      shrink()
    }
    defer { giveBack(key) }
    return try body(descriptor)
  }

  /// Closes the file for good.
  func remove(_ key: ObjectIdentifier) {
    let entry = state.withLock { state in
      state.failures[key] = nil
      return state.entries.removeValue(forKey: key)
    }
    if let entry { _ = Foundation.close(entry.descriptor) }
  }

  /// What the system said when it closed the file of `key` meanwhile: some report only then that
  /// bytes could not be written.
  func failure(of key: ObjectIdentifier) -> Int32? { state.withLock { $0.failures[key] } }

  private func borrow(_ key: ObjectIdentifier) -> Int32? {
    state.withLock { state in
      state.entries[key]?.userCount += 1
      return state.entries[key]?.descriptor
    }
  }

  private func giveBack(_ key: ObjectIdentifier) {
    state.withLock { state in
      state.clock += 1
      state.entries[key]?.userCount -= 1
      state.entries[key]?.lastUse = state.clock
    }
    shrink()
  }

  private func shrink() {
    while let oldest = state.withLock({ $0.entries.count > limit ? $0.removeOldest() : nil }) {
      close(oldest)
    }
  }

  private func close(_ oldest: (key: ObjectIdentifier, descriptor: Int32)) {
    guard Foundation.close(oldest.descriptor) != 0, errno != EINTR else { return }
    let code = errno
    state.withLock { $0.failures[oldest.key] = code }
  }
}
