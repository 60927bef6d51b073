import Formats

extension Terminal {
  /// Prints the report of an output that is complete. Where that cannot be printed the output is no
  /// less complete, so that it is a warning, or nothing where the reader has gone.
  func report(_ text: String, ofFinished path: String) {
    do {
      try StandardOutput.write(text)
    } catch .closed {
      return
    } catch {
      warn("\(path) is complete, but its report could not be printed: \(error.message)")
    }
  }

  /// Tells of what is no failure of an output: a note, or a warning where quiet must not hide it.
  func show(_ notice: OutputNotice) {
    switch notice {
    case .notSynced: warn(notice.message)
    case .removedLeftover, .foundSetAside:
      if !isQuiet { write("note:", notice.message) }
    }
  }

  func warn(_ message: String) { write(errorStyle.yellow("warning:"), message) }

  private func write(_ label: String, _ message: String) {
    // A progress line may stand where this goes.
    let start = showsProgress ? ProgressBar.clearLine : ""
    StandardError.write(start + label + " " + printable(message) + "\n")
  }
}
