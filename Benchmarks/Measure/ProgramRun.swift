import Foundation

/// A finished run of a program, and what it took.
struct ProgramRun {
  /// Seconds on the clock.
  let wall: Double
  /// Seconds of processors, the system's share included.
  let cpu: Double
  /// The most memory that it had at a time, in bytes. A system may count that of the process that started
  /// it too, which is why this one stays small.
  let peak: Int
  /// As a shell tells it: 128 and more for a signal.
  let status: Int32

  /// Runs a program to its end, without input.
  ///
  /// - Parameters:
  ///   - program: a path, or a name to look for as a shell does.
  ///   - output: the file that takes what it prints.
  ///   - errors: the file that takes its error messages.
  init(
    _ program: String, _ arguments: [String], output: String = "/dev/null",
    errors: String = "/dev/null"
  ) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let child = try Self.start([program] + arguments, output: output, errors: errors)
    var status: Int32 = 0
    var usage = rusage()
    // The call fills in one number and one structure.
    while unsafe wait4(child, &status, 0, &usage) < 0 {
      guard errno == EINTR else { throw BenchmarkError("\(program) got lost") }
    }
    wall = (clock.now - start) / .seconds(1)
    cpu = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    peak = usage.ru_maxrss * Self.memoryUnit
    self.status = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    // Ended by the signal, or by itself because of it.
    if self.status == 128 + SIGINT { throw BenchmarkError("interrupted") }
  }

  #if canImport(Darwin)
    private static let memoryUnit = 1
  #else
    private static let memoryUnit = 1024
  #endif

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }

  private static func start(_ words: [String], output: String, errors: String) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      // A plain structure, which the call below fills in.
      var actions = unsafe posix_spawn_file_actions_t()
    #endif
    let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    // Copies that end with a zero byte, in lists that end with nil, as the system wants them; they are
    // freed when the child has its own.
    let argv = unsafe words.map { unsafe strdup($0) } + [nil]
    let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    unsafe posix_spawn_file_actions_init(&actions)
    defer {
      for index in unsafe argv.indices { unsafe free(argv[index]) }
      for index in unsafe envp.indices { unsafe free(envp[index]) }
      unsafe posix_spawn_file_actions_destroy(&actions)
    }
    let create = O_WRONLY | O_CREAT | O_TRUNC
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, create, 0o666)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, create, 0o666)
    var child: pid_t = 0
    let code = unsafe posix_spawnp(&child, words[0], &actions, nil, argv, envp)
    guard code == 0 else {
      throw BenchmarkError("\(words[0]) does not start: \(unsafe String(cString: strerror(code)))")
    }
    return child
  }
}
