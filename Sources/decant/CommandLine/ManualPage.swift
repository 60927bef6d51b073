/// A page of the manual, in the language of man(7).
///
/// Source: groff_man(7) and groff_char(7) for what must be escaped so that a page's text can be copied
/// into a shell; mandoc(1) `-T lint` and `man --warnings` have nothing to say of a page.
struct ManualPage {
  /// Without the section: `decant-convert`.
  let name: String
  private let program: ProgramDescription
  private let command: CommandDescription?

  /// The page of `command`, or that of the program where it is nil.
  init(_ command: CommandDescription?, of program: ProgramDescription) {
    self.command = command
    self.program = program
    name = Self.name(of: command, in: program)
  }

  /// The program's page, and one for each of its commands.
  static func all(of program: ProgramDescription) -> [ManualPage] {
    [ManualPage(nil, of: program)] + program.commands.map { ManualPage($0, of: program) }
  }

  /// What its file is called.
  var fileName: String { name + ".1" }

  var text: String {
    let title = escaped(name).uppercased()
    let version = "\(program.name) \(program.version)"
    var lines = [
      ".TH \(title) 1 \(program.date) \"\(version)\" \"\(program.name) manual\"", ".SH NAME",
    ]
    lines += paragraph("\(name) - \(command?.summary ?? program.summary)")
    lines.append(".SH SYNOPSIS")
    lines += command.map(body) ?? programBody
    return lines.joined(separator: "\n") + "\n"
  }

  private static func name(
    of command: CommandDescription?, in program: ProgramDescription
  ) -> String {
    [program.name, command?.name].compactMap(\.self).joined(separator: "-")
  }
}

// MARK: - Sections

extension ManualPage {
  private var programBody: [String] {
    var lines = [".B \(escaped(program.name))", ".I COMMAND", "[\\fIoptions\\fR]"]
    lines.append(".SH COMMANDS")
    for command in program.commands {
      lines += [".TP", ".BR \(escaped(Self.name(of: command, in: program))) (1)"]
      lines += paragraph(command.summary)
    }
    lines.append(".SH OPTIONS")
    for option in program.sharedOptions { lines += entry(option) }
    lines += description(program.discussion)
    // One from each command gives the shortest tour.
    return lines + examples(program.commands.compactMap(\.examples.first))
  }

  private func body(_ command: CommandDescription) -> [String] {
    var lines = synopsis(command)
    if !command.operands.isEmpty { lines.append(".SH OPERANDS") }
    for operand in command.operands {
      lines += [".TP", ".I \(escaped(operand.name))"]
      lines += paragraph(operand.meaning)
    }
    lines.append(".SH OPTIONS")
    for option in program.options(of: command) { lines += entry(option) }
    lines += description(command.discussion)
    lines += examples(command.examples)
    return lines + [".SH SEE ALSO", ".BR \(escaped(program.name)) (1)"]
  }

  private func synopsis(_ command: CommandDescription) -> [String] {
    var lines = [".B \(escaped(program.name + " " + command.name))"]
    for operand in command.operands {
      let name = "\\fI\(escaped(operand.name))\\fR" + (operand.isRepeatable ? "..." : "")
      lines.append(operand.isRequired ? name : "[\(name)]")
    }
    for option in command.options where option.isRequired {
      lines.append(bold(option.spelling) + value(of: option))
    }
    return lines + ["[\\fIoptions\\fR]"]
  }

  private func entry(_ option: OptionDescription) -> [String] {
    let spellings = option.spellings.map(bold).joined(separator: ", ")
    return [".TP", spellings + value(of: option)] + paragraph(option.meaning)
  }

  private func value(of option: OptionDescription) -> String {
    option.value.map { " \\fI\(escaped($0.name))\\fR" } ?? ""
  }

  private func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }

  private func description(_ paragraphs: [String]) -> [String] {
    var lines: [String] = []
    for text in paragraphs {
      lines.append(lines.isEmpty ? ".SH DESCRIPTION" : ".PP")
      lines += paragraph(text)
    }
    return lines
  }

  /// Command lines are not filled: they are there to be copied.
  private func examples(_ examples: [CommandDescription.Example]) -> [String] {
    var lines: [String] = []
    for example in examples {
      lines.append(lines.isEmpty ? ".SH EXAMPLES" : ".PP")
      lines += paragraph(example.meaning)
      lines += [".PP", ".RS 4", ".EX", line(escaped(example.command)), ".EE", ".RE"]
    }
    return lines
  }
}

// MARK: - Text

extension ManualPage {
  /// Short enough for mandoc, which wants lines of 80 bytes at most.
  private func paragraph(_ text: String) -> [String] { wrap(escaped(text), width: 78).map(line) }

  /// A line of text that begins like a request is none.
  private func line(_ text: String) -> String {
    text.hasPrefix(".") ? "\\&" + text : text
  }

  /// Plain hyphens, quotes and the like become typographic ones, unless they are escaped.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'": result += "\\(aq"
      case "`": result += "\\(ga"
      case "^": result += "\\(ha"
      case "~": result += "\\(ti"
      case "\"": result += "\\(dq"
      default: result.append(character)
      }
    }
    return result
  }
}
