/// Help as text: the program's, and each command's.
enum HelpText {
  /// Help for `command`, or for the whole program where that is `nil`.
  static func text(
    for command: CommandDescription?, of program: ProgramDescription, width: Int
  ) -> String {
    command.map { self.command($0, of: program, width: width) }
      ?? self.program(program, width: width)
  }

  /// Columns to use: those of the terminal, but lines stay long enough for the layout and short
  /// enough to read.
  static func width(on terminal: Terminal) -> Int {
    min(max(terminal.width, 60), 100)
  }

  /// What `decant --help` shows.
  static func program(_ program: ProgramDescription, width: Int) -> String {
    var text = paragraph("\(program.name) \(program.version) - \(program.summary)", width: width)
    text += "\nUsage: \(program.name) COMMAND [options]\n"
    text += section(
      "Commands", program.commands.map { ($0.name, $0.summary) }, width: width)
    text += section("Options", rows(for: program.sharedOptions), width: width)
    text += paragraphs(program.discussion, width: width)
    // One from each command gives the shortest tour.
    text += examples(program.commands.compactMap(\.examples.first))
    return text + "\n'\(program.name) help COMMAND' describes a command and all its options.\n"
  }

  /// What `decant` alone shows, on standard error.
  static func short(_ program: ProgramDescription, width: Int) -> String {
    var text = "Usage: \(program.name) COMMAND [options]\n"
    text += section(
      "Commands", program.commands.map { ($0.name, $0.summary) }, width: width)
    return text + "\n'\(program.name) --help' shows more.\n"
  }

  /// What `decant COMMAND --help` shows.
  static func command(
    _ command: CommandDescription, of program: ProgramDescription, width: Int
  ) -> String {
    var text = paragraph("\(program.name) \(command.name) - \(command.summary)", width: width)
    text += "\nUsage: \(usage(of: command, in: program))\n"
    text += section(
      "Operands", command.operands.map { ($0.name, $0.meaning) }, width: width)
    text += section("Options", rows(for: command.options), width: width)
    text += section("Options of every command", rows(for: program.sharedOptions), width: width)
    text += paragraphs(command.discussion, width: width)
    return text + examples(command.examples)
  }

  /// One line: `decant convert PATH --output OUT [options]`.
  static func usage(of command: CommandDescription, in program: ProgramDescription) -> String {
    var words = [program.name, command.name]
    for operand in command.operands {
      let name = operand.isRepeatable ? "\(operand.name)..." : operand.name
      words.append(operand.isRequired ? name : "[\(name)]")
    }
    for option in command.options where option.isRequired {
      words.append([option.spelling, option.value?.name].compactMap(\.self).joined(separator: " "))
    }
    return (words + ["[options]"]).joined(separator: " ")
  }
}

// MARK: - Parts

extension HelpText {
  /// A term and what it means.
  private typealias Row = (term: String, meaning: String)

  private static let indent = 2
  /// Terms longer than this stand on a line of their own.
  private static let longestTerm = 24

  private static func section(_ title: String, _ rows: [Row], width: Int) -> String {
    guard !rows.isEmpty else { return "" }
    let fitting = rows.map(\.term.count).filter { $0 <= longestTerm }
    let column = indent + (fitting.max() ?? longestTerm) + 2
    var text = "\n\(title):\n"
    for row in rows {
      var line = String(repeating: " ", count: indent) + row.term
      if line.count + 2 > column {
        text += line + "\n"
        line = ""
      }
      for part in wrap(row.meaning, width: width - column) {
        text += line + String(repeating: " ", count: column - line.count) + part + "\n"
        line = ""
      }
    }
    return text
  }

  private static func rows(for options: [OptionDescription]) -> [Row] {
    options.map { option in
      let short = option.short.map { "-\($0), " } ?? "    "
      let value = option.value.map { " \($0.name)" } ?? ""
      return (short + option.spelling + value, option.meaning)
    }
  }

  private static func paragraphs(_ paragraphs: [String], width: Int) -> String {
    paragraphs.map { "\n" + paragraph($0, width: width) }.joined()
  }

  private static func paragraph(_ text: String, width: Int) -> String {
    wrap(text, width: width).joined(separator: "\n") + "\n"
  }

  /// Command lines are not wrapped: they are there to be copied.
  private static func examples(_ examples: [CommandDescription.Example]) -> String {
    guard !examples.isEmpty else { return "" }
    return "\nExamples:\n"
      + examples.map { "  \($0.command)\n      \($0.meaning)\n" }.joined()
  }
}
