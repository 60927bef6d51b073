/// What may be shown where: facts about the two output streams, settled once at the start.
struct Terminal: Sendable, Equatable {
  /// Columns of the terminal; 80 where nobody knows.
  let width: Int
  let outputIsTerminal: Bool
  let errorIsTerminal: Bool
  /// For text on standard output.
  let style: Style
  /// For text on standard error.
  let errorStyle: Style
  /// Whether characters beyond ASCII can be shown.
  let isUnicode: Bool
  /// Whether results and errors are all that is wanted.
  let isQuiet: Bool
  /// Whether a line on standard error can be drawn over, and is wanted.
  let showsProgress: Bool
  /// Whether progress is told in lines that stay, now and then: standard error is a log.
  var printsProgressLines: Bool { !showsProgress && !isQuiet }

  /// - Parameters:
  ///   - environment: NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE and LANG count.
  ///   - columns: what the terminal itself says of its width.
  init(
    environment: [String: String], outputIsTerminal: Bool, errorIsTerminal: Bool,
    columns: Int? = nil, noColor: Bool = false, isQuiet: Bool = false
  ) {
    let isDumb = environment["TERM"] == "dumb"
    // https://no-color.org: an empty value does not count.
    let allowsColor = !noColor && !isDumb && environment["NO_COLOR", default: ""].isEmpty
    self.outputIsTerminal = outputIsTerminal
    self.errorIsTerminal = errorIsTerminal
    style = Style(isOn: allowsColor && outputIsTerminal)
    errorStyle = Style(isOn: allowsColor && errorIsTerminal)
    let declaredColumns = environment["COLUMNS"].flatMap { Int($0) }
    width = [columns, declaredColumns].compactMap(\.self).first { $0 > 0 } ?? 80
    isUnicode = Self.isUnicode(environment)
    self.isQuiet = isQuiet
    showsProgress = errorIsTerminal && !isDumb && !isQuiet
  }

  /// POSIX: the first of the three that is not empty decides.
  private static func isUnicode(_ environment: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy
      .compactMap { environment[$0] }.first { !$0.isEmpty }
    let encoding = (locale ?? "").lowercased()
    return encoding.contains("utf-8") || encoding.contains("utf8")
  }
}
