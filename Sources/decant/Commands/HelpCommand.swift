import Convert
import Formats
import Foundation

enum HelpCommand: Command {
  static let description = CommandDescription(
    name: "help",
    summary: "show help for the program or for one command",
    operands: [
      OperandDescription(
        name: "COMMAND", help: "The command to describe.", accepts: .command, isRequired: false)
    ],
    options: [
      OptionDescription(long: "man", help: "Print it as a page for 'man'."),
      OptionDescription(
        long: "markdown", help: "Print it as Markdown; without COMMAND, all commands in full."),
      OptionDescription(
        long: "output", short: "o", value: .init("DIR", .directory),
        help: """
          With --man: write the page into DIR as decant-COMMAND.1; without COMMAND, the pages of the \
          program and of all commands.
          """),
      OptionDescription(long: "force", help: "Replace pages that are in DIR already."),
    ],
    examples: [
      .init("decant help convert", "Show every option of 'convert', with examples."),
      .init("decant help --man -o ~/.local/share/man/man1", "Install the manual for 'man decant'."),
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let program = Program.description
    let command = try arguments.operands.first.map(program.requiredCommand)
    guard !arguments.flag("man") else {
      try showManual(of: command, in: program, arguments, terminal)
      return .done
    }
    guard !arguments.isGiven("output") else {
      throw UsageError("'--output' is for '--man'", hint: "give '--man' too")
    }
    if arguments.flag("markdown") {
      let reference = MarkdownReference(program: program)
      try StandardOutput.write(command.map(reference.section) ?? reference.text)
    } else {
      try StandardOutput.write(
        HelpText.text(for: command, of: program, width: HelpText.width(on: terminal)))
    }
    return .done
  }

  private static func showManual(
    of command: CommandDescription?, in program: ProgramDescription, _ arguments: Arguments,
    _ terminal: Terminal
  ) throws {
    guard !arguments.flag("markdown") else {
      throw UsageError("'--man' and '--markdown' exclude each other", hint: "give one of them")
    }
    let page = ManualPage(command, of: program)
    guard let directory = arguments.value("output") else {
      try StandardOutput.write(page.text)
      return
    }
    if !FileStatus.isDirectory(directory) {
      do {
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
      } catch { throw FileError.system("create", directory) }
    }
    for page in command == nil ? ManualPage.all(of: program) : [page] {
      let file = try ReportFile(
        path: directory + "/" + page.fileName, replacing: arguments.flag("force"),
        inputs: CommandInputs([])
      ) { terminal.show($0) }
      try file.write(page.text)
    }
  }
}
