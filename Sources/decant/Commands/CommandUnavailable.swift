import Formats

/// Thrown by a command that is described but does nothing in this build.
struct CommandUnavailable: DescribedError {
  let name: String

  var message: String { "'decant \(name)' does nothing in this build" }
  var hint: String? { nil }
}
