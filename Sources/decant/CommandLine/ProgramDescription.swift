/// What the program offers. The parser, the help and the shell completions all read this and
/// nothing else, so they cannot disagree.
struct ProgramDescription: Sendable {
  let name: String
  let version: String
  /// The day of the version, as YYYY-MM-DD; manual pages must have one.
  let date: String
  /// One line without a full stop.
  let summary: String
  /// Paragraphs for the program's own help, after the list of commands.
  var discussion: [String] = []
  /// In the order in which help lists them.
  let commands: [CommandDescription]
  /// Flags that every command takes, and that may stand before the command's name too.
  let sharedOptions: [OptionDescription]

  func command(named name: String) -> CommandDescription? {
    commands.first { $0.name == name }
  }

  /// Everything that may be given after the name of `command`: its own options, then the shared.
  func options(of command: CommandDescription) -> [OptionDescription] {
    command.options + sharedOptions
  }
}

/// What a word stands for: completions offer it, and the parser refuses all but the choices.
enum ValueKind: Sendable, Equatable {
  case text
  /// An existing file or directory.
  case path
  case directory
  /// One of a few words.
  case choices([String])
  /// The name of one of the program's commands.
  case command
}
