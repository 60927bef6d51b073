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
