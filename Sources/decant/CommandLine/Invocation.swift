/// What a command line asks for.
enum Invocation: Sendable {
  /// Help for the command, or for the program where it is `nil`.
  case help(CommandDescription?)
  case version
  case run(Arguments)
}
