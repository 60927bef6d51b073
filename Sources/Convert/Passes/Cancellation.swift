import Synchronization

/// A request to stop, made once and seen by every thread that works for it.
package final class Cancellation: Sendable {
  private let requested = Atomic(false)

  package init() {}

  package func cancel() { requested.store(true, ordering: .relaxed) }

  /// - Throws: `CancellationError` after `cancel`.
  package func check() throws {
    if requested.load(ordering: .relaxed) { throw CancellationError() }
  }
}
