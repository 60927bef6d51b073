import Formats

/// What an error that ended the program says, and the status it ends with.
struct ErrorReport: Equatable {
  /// `nil` where silence is right: the user stopped the program, or nobody reads on.
  let message: String?
  let hint: String?
  let status: ExitStatus

  init(_ error: any Error) {
    let described = error as? any DescribedError
    hint = described?.hint
    switch error {
    case is CancellationError:
      (message, status) = (nil, .interrupted)
    case OutputError.closed:
      (message, status) = (nil, .failure)
    default:
      message = described?.message ?? "\(error)"
      status = error is UsageError ? .usage : .failure
    }
  }

  /// `error: ...` and `hint: ...`, each on one line whatever names they quote; empty without a
  /// message.
  func text(style: Style) -> String {
    guard let message else { return "" }
    let hintLine = hint.map { style.yellow("hint:") + " \(printable($0))\n" }
    return style.red("error:") + " \(printable(message))\n" + (hintLine ?? "")
  }

  /// Writes the text to standard error.
  func show(on terminal: Terminal) -> ExitStatus {
    StandardError.write(text(style: terminal.errorStyle))
    return status
  }
}
