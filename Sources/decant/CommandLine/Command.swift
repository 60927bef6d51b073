/// One command of the program: its description and its work, side by side in one file.
///
/// `Program.commands` lists the conforming types, and nothing else needs to know of them.
protocol Command {
  static var description: CommandDescription { get }

  /// Does what `arguments` ask. They have been checked against `description`: required words are
  /// there, and a value with choices is one of them.
  ///
  /// A thrown `UsageError` exits with 64, a `CancellationError` with 128 and
  /// the signal's number, any other error with 1;
  /// what a `DescribedError` says is printed.
  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus
}
