/// What a command was given, checked against its description.
///
/// To ask for an option that the command does not have is a programmer's mistake and stops the
/// program.
struct Arguments: Sendable {
  let command: CommandDescription
  /// In the order given; as many as the description requires.
  let operands: [String]
  /// As it was typed, from the program's name on, in a form to copy.
  let line: String
  private let options: [String: OptionDescription]
  private let given: [String: [String]]

  /// - Parameters:
  ///   - options: all that the command takes, shared ones too.
  ///   - given: values by long name; none for a flag.
  ///   - line: as it was typed.
  init(
    command: CommandDescription, options: [OptionDescription], operands: [String],
    given: [String: [String]], line: String
  ) {
    self.line = line
    self.command = command
    self.operands = operands
    self.options = Dictionary(uniqueKeysWithValues: options.map { ($0.long, $0) })
    self.given = given
  }

  /// Whether the flag is there.
  func flag(_ long: String) -> Bool {
    precondition(option(long).isFlag, "'\(long)' has a value")
    return given[long] != nil
  }

  /// Whether the option was given, not merely has a default.
  func isGiven(_ long: String) -> Bool {
    _ = option(long)
    return given[long] != nil
  }

  /// The value given, else the default, else `nil`.
  func value(_ long: String) -> String? {
    precondition(!option(long).isRepeatable, "'\(long)' may have many values")
    return values(long).last
  }

  /// The values given in their order; where there are none, the default if there is one.
  func values(_ long: String) -> [String] {
    let option = option(long)
    precondition(!option.isFlag, "'\(long)' has no value")
    if let values = given[long] { return values }
    if case .value(let text) = option.value?.fallback { return [text] }
    return []
  }

  private func option(_ long: String) -> OptionDescription {
    guard let option = options[long] else {
      preconditionFailure("'\(command.name)' has no option '\(long)'")
    }
    return option
  }
}

// MARK: - Typed values

extension Arguments {
  /// A whole number within `range`.
  func int(_ long: String, in range: ClosedRange<Int> = 0...Int.max) throws(UsageError) -> Int? {
    try typed(long) { text throws(InvalidValue) in try integer(parsing: text, in: range) }
  }

  /// A number of tokens or weights within `range`, as in `4096` or `32k`.
  func count(_ long: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    try typed(long) { text throws(InvalidValue) in try decant.count(parsing: text, in: range) }
  }

  /// A number of bytes, as in `5GB`.
  func size(_ long: String) throws(UsageError) -> ByteSize? {
    try typed(long) { text throws(InvalidValue) in try ByteSize(parsing: text) }
  }

  /// A positive decimal number, as in `2.5` or `1e-3`.
  func number(_ long: String) throws(UsageError) -> Double? {
    try typed(long) { text throws(InvalidValue) in try decimal(parsing: text) }
  }

  /// A positive number of decibels, as in `25` or `25dB`.
  func decibels(_ long: String) throws(UsageError) -> Double? {
    try typed(long) { text throws(InvalidValue) in try decant.decibels(parsing: text) }
  }

  /// A percentage between 0 and 100, as in `95%`.
  func percent(_ long: String) throws(UsageError) -> Double? {
    try typed(long) { text throws(InvalidValue) in try percentage(parsing: text) }
  }

  /// The case whose raw value is the word given. The cases must cover the option's choices.
  func choice<T: RawRepresentable<String>>(_ long: String, as type: T.Type) -> T? {
    guard let word = value(long) else { return nil }
    guard let choice = T(rawValue: word) else {
      preconditionFailure("'\(long)' has a choice '\(word)' that \(T.self) lacks")
    }
    return choice
  }

  private func typed<T>(
    _ long: String, parse: (String) throws(InvalidValue) -> T
  ) throws(UsageError) -> T? {
    guard let text = value(long) else { return nil }
    do {
      return try parse(text)
    } catch {
      throw UsageError("'\(text)' is no value for '--\(long)': \(error.reason)", hint: error.hint)
    }
  }
}
