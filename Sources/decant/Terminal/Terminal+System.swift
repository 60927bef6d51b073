import Foundation

extension Terminal {
  /// The terminal of this process.
  static func current(noColor: Bool = false, isQuiet: Bool = false) -> Terminal {
    Terminal(
      environment: ProcessInfo.processInfo.environment,
      outputIsTerminal: isatty(STDOUT_FILENO) == 1,
      errorIsTerminal: isatty(STDERR_FILENO) == 1,
      columns: columns(of: STDOUT_FILENO) ?? columns(of: STDERR_FILENO),
      noColor: noColor, isQuiet: isQuiet)
  }

  /// `nil` where the stream is no terminal, 0 where the terminal does not know.
  private static func columns(of stream: Int32) -> Int? {
    var size = winsize()
    // TIOCGWINSZ fills in one `winsize`, and `size` outlives the call.
    let status = unsafe ioctl(stream, UInt(TIOCGWINSZ), &size)
    return status == 0 ? Int(size.ws_col) : nil
  }
}
