import Convert

/// Carries out a command's long steps: on the threads that were asked for, each with its progress,
/// until somebody interrupts.
struct Runner {
  private let threads: Int
  private let interruption: Interruption
  private let terminal: Terminal

  /// From here on an interruption stops the steps instead of the program.
  init(_ arguments: Arguments, _ terminal: Terminal) throws {
    interruption = Interruption()
    threads = try arguments.threads()
    self.terminal = terminal
  }

  /// For a step that shows by its output how far it is.
  func run<Result>(_ step: (RunContext) throws -> Result) rethrows -> Result {
    try step(RunContext(threads: threads, cancellation: interruption.cancellation))
  }

  func run<Result>(
    _ title: String, byteCount: Int, _ step: (RunContext) throws -> Result
  ) rethrows -> Result {
    let bar = ProgressBar(title: title, totalBytes: byteCount, terminal: terminal)
    defer { bar.finish() }
    return try step(
      RunContext(
        threads: threads, cancellation: interruption.cancellation,
        progress: { bar.advance(by: $0) }))
  }
}
