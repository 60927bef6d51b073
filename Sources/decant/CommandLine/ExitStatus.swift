/// What the program tells its caller at the end.
enum ExitStatus: Int32, Sendable {
  case done = 0
  /// It could not be done, or a check found something.
  case failure = 1
  /// The command line made no sense: `EX_USAGE` of sysexits.h.
  case usage = 64
  /// Stopped by the user: 128 and the number of SIGINT, as shells report it.
  case interrupted = 130
}
