import Convert
import Formats

/// What an error that ended the program says, and the status it ends with.
struct ErrorReport: Equatable {
  /// `nil` where silence is right: nobody reads on.
  let message: String?
  let hint: String?
  let status: ExitStatus

  /// - Parameter signal: what cancelled the work, if anything did.
  init(_ error: any Error, signal: Int32? = Interruption.received) {
    let described = error as? any DescribedError
    hint = described?.hint
    switch error {
    case is CancellationError:
      status = signal.flatMap { ExitStatus(rawValue: 128 + $0) } ?? .interrupted
      message = "interrupted by \(status.signalName) before it was done; nothing was written"
    case OutputError.closed:
      (message, status) = (nil, .failure)
    default:
      message = described?.message ?? "\(error)"
      status = Self.isWrongValue(error) ? .usage : .failure
    }
  }

  /// Whether the command line alone says that it is wrong, whatever is in the files that it names.
  private static func isWrongValue(_ error: any Error) -> Bool {
    switch error {
    case is UsageError, PlanError.badPattern, PlanError.badOverride, MergeError.badRequest,
      Convert.OutputError.unknownEnding:
      true
    default: false
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

extension ExitStatus {
  fileprivate var signalName: String {
    switch self {
    case .hungUp: "SIGHUP"
    case .quit: "SIGQUIT"
    case .terminated: "SIGTERM"
    case .interrupted, .done, .failure, .usage: "SIGINT"
    }
  }
}
