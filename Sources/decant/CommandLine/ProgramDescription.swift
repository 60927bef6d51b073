/// What the program offers. The parser, the help and the shell completions all read this and
/// nothing else, so they cannot disagree.
struct ProgramDescription: Sendable {
  let name: String
  let version: String
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

/// One command: `decant NAME OPERANDS [options]`.
struct CommandDescription: Sendable {
  let name: String
  /// One line without a full stop; the list of commands shows it.
  let summary: String
  var operands: [OperandDescription] = []
  var options: [OptionDescription] = []
  var examples: [Example] = []
  /// Paragraphs for the command's help, after the options.
  var discussion: [String] = []

  /// A whole command line that works as shown, and what it does.
  struct Example: Sendable {
    let command: String
    let meaning: String

    init(_ command: String, _ meaning: String) {
      self.command = command
      self.meaning = meaning
    }
  }
}

/// A word of the command line that is neither an option nor an option's value.
struct OperandDescription: Sendable {
  /// In capitals, as usage lines show it.
  let name: String
  let help: String
  var accepts: ValueKind = .text
  var isRequired = true
  /// Whether it takes every word that is left. Only the last operand may.
  var isRepeatable = false
}

/// One option. A flag has no `value`.
struct OptionDescription: Sendable {
  /// Without the dashes.
  let long: String
  var short: Character? = nil
  var value: Value? = nil
  /// Sentences without the choices and the default: help adds those.
  let help: String
  var isRequired = false
  var isRepeatable = false

  struct Value: Sendable {
    /// In capitals, as help shows it.
    let name: String
    var accepts: ValueKind = .text
    var fallback: Fallback? = nil

    init(_ name: String, _ accepts: ValueKind = .text, default fallback: Fallback? = nil) {
      self.name = name
      self.accepts = accepts
      self.fallback = fallback
    }
  }

  /// What holds where the option is absent.
  enum Fallback: Sendable {
    /// As if this had been given.
    case value(String)
    /// The command decides; help shows this description.
    case described(String)

    var text: String {
      switch self {
      case .value(let text), .described(let text): text
      }
    }
  }

  var isFlag: Bool { value == nil }

  /// As messages name it: `--group-size`.
  var spelling: String { "--\(long)" }

  /// The first sentence of the help, without its full stop; a completion menu has room for that.
  var brief: String {
    let sentence = help.firstRange(of: ". ").map { help[..<$0.lowerBound] } ?? help[...]
    return String(sentence.hasSuffix(".") ? sentence.dropLast() : sentence)
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
