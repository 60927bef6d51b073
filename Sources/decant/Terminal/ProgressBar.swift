import Synchronization

/// One line on standard error that says how far the work is, drawn over as it advances; without a
/// terminal a new line every ten seconds, for logs. Any thread may advance it.
///
/// While it is there nothing else should write to standard error. Call `finish` before, best in a
/// `defer`.
final class ProgressBar: Sendable {
  private struct State {
    var doneBytes = 0
    /// Nil before the first line.
    var lastDrawn: ContinuousClock.Instant?
    var isFinished = false
  }

  private let title: String
  private let totalBytes: Int
  private let terminal: Terminal
  private let start: ContinuousClock.Instant
  private let now: @Sendable () -> ContinuousClock.Instant
  private let write: @Sendable (String) -> Void
  private let state = Mutex(State())

  private static let shortestPause = Duration.milliseconds(100)
  private static let pauseBetweenLines = Duration.seconds(10)
  static let clearLine = "\r\u{1b}[K"

  /// - Parameters:
  ///   - title: what is being done; must be `printable`.
  ///   - now: the clock; tests bring their own.
  ///   - write: receives what would go to standard error.
  init(
    title: String, totalBytes: Int, terminal: Terminal,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
    write: @escaping @Sendable (String) -> Void = { StandardError.write($0) }
  ) {
    self.title = title
    self.totalBytes = totalBytes
    self.terminal = terminal
    self.now = now
    self.write = write
    start = now()
  }

  /// Adds to what is done, and draws unless that was done less than a tenth of a second ago, or ten
  /// seconds where lines stay.
  func advance(by bytes: Int) {
    guard terminal.showsProgress || terminal.printsProgressLines else { return }
    // Drawing under the lock keeps lines in order; it happens ten times a second at most.
    state.withLock { state in
      state.doneBytes += bytes
      let time = now()
      guard !state.isFinished, isDue(time, last: state.lastDrawn) else { return }
      state.lastDrawn = time
      let line = ProgressLine(
        title: title, doneBytes: state.doneBytes, totalBytes: totalBytes,
        elapsedSeconds: (time - start) / .seconds(1))
      write(
        terminal.showsProgress
          ? Self.clearLine + line.text(width: terminal.width, isUnicode: terminal.isUnicode)
          : line.plainText + "\n")
    }
  }

  private func isDue(_ time: ContinuousClock.Instant, last: ContinuousClock.Instant?) -> Bool {
    guard terminal.showsProgress else { return time - (last ?? start) >= Self.pauseBetweenLines }
    return last.map { time - $0 >= Self.shortestPause } ?? true
  }

  /// Takes the line that is drawn over away. Nothing is drawn afterwards; a second call does nothing.
  func finish() {
    state.withLock { state in
      if terminal.showsProgress, state.lastDrawn != nil, !state.isFinished { write(Self.clearLine) }
      state.isFinished = true
    }
  }
}
