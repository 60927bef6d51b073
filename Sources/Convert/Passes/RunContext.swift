/// What every long run is given: how many threads it may use, how it is stopped, whom it tells.
package struct RunContext: Sendable {
  /// What a run produces does not depend on it.
  package let threads: Int
  package let cancellation: Cancellation
  /// Called with the bytes of every finished tile, from any thread.
  package let progress: @Sendable (Int) -> Void

  package init(
    threads: Int, cancellation: Cancellation = Cancellation(),
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.threads = threads
    self.cancellation = cancellation
    self.progress = progress
  }
}
