/// Reads command lines in the GNU manner: options anywhere, `--opt value`, `--opt=value`,
/// `-o value`, `-ovalue`, short flags in groups, `--` before words that only look like options.
/// Long options are never abbreviated, so that adding one cannot change what a script means.
struct ArgumentParser {
  let program: ProgramDescription

  init(for program: ProgramDescription) {
    self.program = program
  }

  /// - Parameter words: what follows the program's own name.
  /// - Returns: `nil` where nothing is asked for: no command, and neither help nor version.
  func parse(_ words: [String]) throws(UsageError) -> Invocation? {
    let nameIndex = words.firstIndex { !$0.hasPrefix("-") || $0 == "-" } ?? words.endIndex
    // Shared options are flags, so the first word without a dash is no option's value.
    var leading = ArgumentScan(program: program, command: nil)
    try leading.read(words[..<nameIndex].filter { $0 != "--" })
    if let answer = leading.answer { return answer }
    guard nameIndex < words.endIndex else { return nil }

    let command = try program.requiredCommand(named: words[nameIndex])
    var scan = ArgumentScan(program: program, command: command, continuing: leading)
    try scan.read(Array(words[(nameIndex + 1)...]))
    if let answer = scan.answer { return answer }
    return .run(try scan.arguments(for: command, from: words))
  }
}

extension ProgramDescription {
  /// The command of that name, or an error that says what it may have been.
  func requiredCommand(named name: String) throws(UsageError) -> CommandDescription {
    if let command = command(named: name) { return command }
    throw UsageError(
      "unknown command '\(name)'",
      hint: didYouMean(suggestions(for: name, among: commands.map(\.name)))
        ?? "'\(self.name) --help' lists the commands")
  }
}
