enum HelpCommand: Command {
  static let description = CommandDescription(
    name: "help",
    summary: "show help for the program or for one command",
    operands: [
      OperandDescription(
        name: "COMMAND", help: "The command to describe.", accepts: .command, isRequired: false)
    ],
    examples: [
      .init("decant help convert", "Show every option of 'convert', with examples.")
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let program = Program.description
    let command = try arguments.operands.first.map(program.requiredCommand)
    try StandardOutput.write(
      HelpText.text(for: command, of: program, width: HelpText.width(on: terminal)))
    return .done
  }
}
