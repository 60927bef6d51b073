/// One pass over the words of a command line, and what it has found so far.
struct ArgumentScan {
  private let program: ProgramDescription
  /// `nil` while reading what stands before the command's name.
  private let command: CommandDescription?
  private let options: [OptionDescription]
  private var operands: [String] = []
  /// By long name; a flag that was given has no values.
  private var given: [String: [String]] = [:]
  /// Set by `--help` and `--version`, which end the pass.
  private(set) var answer: Invocation?

  init(
    program: ProgramDescription, command: CommandDescription?, continuing leading: Self? = nil
  ) {
    self.program = program
    self.command = command
    options = command.map(program.options(of:)) ?? program.sharedOptions
    given = leading?.given ?? [:]
  }

  mutating func read(_ words: [String]) throws(UsageError) {
    var rest = words[...]
    while answer == nil, let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        return
      } else if word.hasPrefix("--") {
        try readLong(word.dropFirst(2), rest: &rest)
      } else if word.hasPrefix("-"), word != "-" {
        try readShort(word, rest: &rest)
      } else {
        operands.append(word)
      }
    }
  }

  /// - Parameter text: the word without its dashes, `name` or `name=value`.
  private mutating func readLong(
    _ text: Substring, rest: inout ArraySlice<String>
  ) throws(UsageError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = options.first(where: { $0.long == name }) else {
      throw unknown("--\(name)", meaning: name)
    }
    let attached = parts.count == 2 ? String(parts[1]) : nil
    if option.isFlag {
      if let attached { throw valueOfFlag(option.spelling, attached) }
      try record(option)
    } else {
      let value = if let attached { attached } else { try separateValue(of: option, rest: &rest) }
      try record(option, value: value)
    }
  }

  /// - Parameter word: a dash, then flags' letters, the last of which may have a value instead.
  private mutating func readShort(
    _ word: String, rest: inout ArraySlice<String>
  ) throws(UsageError) {
    var letters = word.dropFirst()
    while answer == nil, let letter = letters.popFirst() {
      guard let option = options.first(where: { $0.short == letter }) else {
        throw unknown("-\(letter)", meaning: String(word.dropFirst()))
      }
      if option.isFlag {
        if letters.hasPrefix("=") { throw valueOfFlag("-\(letter)", String(letters.dropFirst())) }
        try record(option)
        continue
      }
      if letters.hasPrefix("=") {
        // Other programs differ on whether the sign belongs to the value, so nobody can rely on it.
        throw UsageError(
          "'=' after '-\(letter)' is ambiguous",
          hint: "write '-\(letter) \(letters.dropFirst())' or '\(option.spelling)\(letters)'")
      }
      let value =
        letters.isEmpty ? try separateValue(of: option, rest: &rest) : String(letters)
      try record(option, value: value)
      return
    }
  }

  /// The next word, unless it is an option itself.
  private func separateValue(
    of option: OptionDescription, rest: inout ArraySlice<String>
  ) throws(UsageError) -> String {
    let valueName = option.value?.name ?? ""
    guard let word = rest.first, word != "--" else {
      throw UsageError(
        "option '\(option.spelling)' needs a value",
        hint: "write '\(option.spelling) \(valueName)'")
    }
    guard !isKnownOption(word) else {
      throw UsageError(
        "option '\(option.spelling)' needs a value, and '\(word)' is an option",
        hint: "write '\(option.spelling)=\(word)' if that is the value")
    }
    rest = rest.dropFirst()
    return word
  }

  private func isKnownOption(_ word: String) -> Bool {
    if word.hasPrefix("--") {
      let name = word.dropFirst(2).prefix { $0 != "=" }
      return options.contains { $0.long == name }
    }
    guard word.hasPrefix("-"), let letter = word.dropFirst().first else { return false }
    return options.contains { $0.short == letter }
  }

  private mutating func record(_ option: OptionDescription, value: String? = nil)
    throws(UsageError)
  {
    if let value {
      guard !value.isEmpty else {
        throw UsageError(
          "the value of '\(option.spelling)' is empty",
          hint: "a shell variable without a value gives an empty word")
      }
      try check(value, of: "'\(option.spelling)'", as: option.value?.accepts ?? .text)
    }
    if given[option.long] != nil, !option.isRepeatable {
      throw UsageError(
        "option '\(option.spelling)' is given more than once", hint: "give it once at most")
    }
    given[option.long, default: []] += value.map { [$0] } ?? []
    if option.long == SharedOption.help.long { answer = .help(command) }
    if option.long == SharedOption.version.long { answer = .version }
  }

  /// Refuses a word that is none of the choices.
  private func check(
    _ word: String, of owner: String, as kind: ValueKind
  ) throws(UsageError) {
    switch kind {
    case .choices(let choices):
      guard !choices.contains(word) else { return }
      let allowed = "\(owner) takes \(alternatives(choices))"
      let meant = didYouMean(suggestions(for: word, among: choices))
      throw UsageError(
        "'\(word)' is not a value of \(owner)",
        hint: meant.map { "\(allowed); \($0)" } ?? allowed)
    case .command: _ = try program.requiredCommand(named: word)
    case .text, .path, .directory: return
    }
  }
}

// MARK: - At the end

extension ArgumentScan {
  /// What was found, once nothing is missing and nothing is left over.
  ///
  /// - Parameter words: the whole command line but the program's name.
  func arguments(
    for command: CommandDescription, from words: [String]
  ) throws(UsageError) -> Arguments {
    try checkOperands(of: command)
    for option in options where option.isRequired && given[option.long] == nil {
      throw UsageError(
        "'\(program.name) \(command.name)' needs '\(option.spelling)'", hint: usageHint)
    }
    return Arguments(
      command: command, options: options, operands: operands, given: given,
      line: shellLine([program.name] + words))
  }

  private func checkOperands(of command: CommandDescription) throws(UsageError) {
    let expected = command.operands
    if operands.count < expected.count, expected[operands.count].isRequired {
      throw UsageError(
        "'\(program.name) \(command.name)' needs \(expected[operands.count].name)",
        hint: usageHint)
    }
    for (index, word) in operands.enumerated() {
      let operand = index < expected.count ? expected[index] : expected.last
      guard let operand, index < expected.count || operand.isRepeatable else {
        throw UsageError(
          "unexpected '\(word)' after '\(program.name) \(command.name)'", hint: usageHint)
      }
      guard !word.isEmpty else {
        throw UsageError(
          "\(operand.name) is empty", hint: "a shell variable without a value gives an empty word")
      }
      try check(word, of: operand.name, as: operand.accepts)
    }
  }
}

// MARK: - Errors

extension ArgumentScan {
  private var usageHint: String {
    guard let command else { return "'\(program.name) --help' lists the commands" }
    return "usage: \(HelpText.usage(of: command, in: program))"
  }

  private func valueOfFlag(_ spelling: String, _ value: String) -> UsageError {
    UsageError(
      "option '\(spelling)' takes no value, but '\(value)' is given",
      hint: "write '\(spelling)' alone, or leave it out")
  }

  /// - Parameter name: what a long option's name may have been meant by.
  private func unknown(_ spelling: String, meaning name: String) -> UsageError {
    let owner = [program.name, command?.name].compactMap(\.self).joined(separator: " ")
    let message = "unknown option '\(spelling)' for '\(owner)'"
    if let hint = didYouMean(
      suggestions(for: name, among: options.map(\.long)), spelled: { "--\($0)" })
    {
      return UsageError(message, hint: hint)
    }
    if command == nil, program.commands.contains(where: { $0.options.contains { $0.long == name } })
    {
      return UsageError(message, hint: "options of a command stand after the command's name")
    }
    return UsageError(message, hint: "'\(owner) --help' lists the options")
  }
}
