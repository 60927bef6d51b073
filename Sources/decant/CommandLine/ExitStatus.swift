/// What the program tells its caller at the end.
enum ExitStatus: Int32, Sendable {
  case done = 0
  /// It could not be done, or a check found something.
  case failure = 1
  /// The command line made no sense: `EX_USAGE` of sysexits.h.
  case usage = 64
  // Stopped by a signal: 128 and its number, as shells report it.
  /// SIGHUP: the terminal has gone.
  case hungUp = 129
  /// SIGINT: Ctrl-C.
  case interrupted = 130
  /// SIGQUIT.
  case quit = 131
  /// SIGTERM.
  case terminated = 143
}
