import Convert
import Formats

/// The program as a whole: its commands, and what happens around each of them.
enum Program {
  /// In the order in which help lists them. A new command is one more line here.
  static var commands: [any Command.Type] {
    [
      InspectCommand.self,
      StatsCommand.self,
      CalibrateCommand.self,
      PlanCommand.self,
      ConvertCommand.self,
      MergeCommand.self,
      ValidateCommand.self,
      UnpackCommand.self,
      EvalCommand.self,
      GenerateCommand.self,
      TokensCommand.self,
      ListCommand.self,
      CompletionsCommand.self,
      HelpCommand.self,
    ]
  }

  static var description: ProgramDescription {
    ProgramDescription(
      name: "decant",
      version: decantVersion,
      date: decantVersionDate,
      summary: "inspect and convert LLM checkpoints",
      discussion: [
        """
        Exits with 0 when done, 1 on failure or when a check finds something, 64 when the command \
        line makes no sense, and 128 and its number when a signal interrupts: 130 for Ctrl-C, 143 for \
        SIGTERM, 129 for SIGHUP, 131 for SIGQUIT.
        """
      ],
      commands: commands.map { $0.description },
      sharedOptions: SharedOption.all)
  }

  /// Obeys one command line.
  ///
  /// - Parameter words: what follows the program's own name.
  static func run(_ words: [String]) -> ExitStatus {
    // Errors in the command line itself are shown before anything of it is known for sure.
    var terminal = Terminal.current(noColor: words.contains(SharedOption.noColor.spelling))
    do {
      let program = description
      switch try ArgumentParser(for: program).parse(words) {
      case .help(let command):
        try StandardOutput.write(
          HelpText.text(for: command, of: program, width: HelpText.width(on: terminal)))
      case .version:
        let commit = BuildCommit.ofThisProgram.map { " (\($0))" } ?? ""
        try StandardOutput.write("\(program.name) \(program.version)\(commit)\n")
      case .run(let arguments):
        terminal = Terminal.current(
          noColor: arguments.flag(SharedOption.noColor.long),
          isQuiet: arguments.flag(SharedOption.quiet.long))
        return try run(arguments, terminal: terminal)
      case nil:
        StandardError.write(HelpText.short(program, width: HelpText.width(on: terminal)))
        return .usage
      }
      return .done
    } catch {
      return ErrorReport(error).show(on: terminal)
    }
  }

  private static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    guard let command = commands.first(where: { $0.description.name == arguments.command.name })
    else { preconditionFailure("the parser knows only the program's own commands") }
    return try command.run(arguments, terminal: terminal)
  }
}
