import Formats

/// A command line that cannot be obeyed. The program exits with `ExitStatus.usage`.
struct UsageError: DescribedError, Equatable {
  let message: String
  let hint: String?

  init(_ message: String, hint: String?) {
    self.message = message
    self.hint = hint
  }
}
