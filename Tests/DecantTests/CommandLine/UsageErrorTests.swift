import Testing

@testable import decant

/// A command line that makes no sense, and what must be said of it.
struct Misuse: Sendable, CustomTestStringConvertible {
  let words: [String]
  let message: String
  let hint: String

  init(_ line: String, _ message: String, hint: String) {
    words = line.split(separator: " ").map(String.init)
    self.message = message
    self.hint = hint
  }

  var testDescription: String { words.joined(separator: " ") }
}

private let pourUsage = "usage: brew pour CUP --output OUT [options]"

@Suite struct UsageErrorTests {
  @Test(arguments: [
    // Names
    Misuse("puor cup", "unknown command 'puor'", hint: "did you mean 'pour'?"),
    Misuse("zzzzzz", "unknown command 'zzzzzz'", hint: "'brew --help' lists the commands"),
    Misuse(
      "pour --forec", "unknown option '--forec' for 'brew pour'", hint: "did you mean '--force'?"),
    Misuse(
      "pour --max=3", "unknown option '--max' for 'brew pour'", hint: "did you mean '--max-size'?"),
    Misuse(
      "pour --FORCE", "unknown option '--FORCE' for 'brew pour'", hint: "did you mean '--force'?"),
    Misuse(
      "pour --fo", "unknown option '--fo' for 'brew pour'", hint: "did you mean '--force'?"),
    Misuse(
      "pour --zzzzzz", "unknown option '--zzzzzz' for 'brew pour'",
      hint: "'brew pour --help' lists the options"),
    Misuse(
      "pour -kind tea", "unknown option '-k' for 'brew pour'", hint: "did you mean '--kind'?"),
    Misuse(
      "pour -fx", "unknown option '-x' for 'brew pour'",
      hint: "'brew pour --help' lists the options"),
    Misuse("--hepl", "unknown option '--hepl' for 'brew'", hint: "did you mean '--help'?"),
    Misuse(
      "--force pour", "unknown option '--force' for 'brew'",
      hint: "options of a command stand after the command's name"),
    // Values
    Misuse(
      "pour --force=yes", "option '--force' takes no value, but 'yes' is given",
      hint: "write '--force' alone, or leave it out"),
    Misuse(
      "pour -f=yes", "option '-f' takes no value, but 'yes' is given",
      hint: "write '-f' alone, or leave it out"),
    Misuse(
      "pour cup -o", "option '--output' needs a value", hint: "write '--output OUT'"),
    Misuse(
      "pour cup --output --", "option '--output' needs a value", hint: "write '--output OUT'"),
    Misuse(
      "pour cup --output --force", "option '--output' needs a value, and '--force' is an option",
      hint: "write '--output=--force' if that is the value"),
    Misuse(
      "pour cup -o -j4", "option '--output' needs a value, and '-j4' is an option",
      hint: "write '--output=-j4' if that is the value"),
    Misuse(
      "pour cup --output=", "the value of '--output' is empty",
      hint: "a shell variable without a value gives an empty word"),
    Misuse(
      "pour cup -o=table", "'=' after '-o' is ambiguous",
      hint: "write '-o table' or '--output=table'"),
    Misuse(
      "pour --kind cofee", "'cofee' is not a value of '--kind'",
      hint: "'--kind' takes tea or coffee; did you mean 'coffee'?"),
    Misuse(
      "pour --kind=water", "'water' is not a value of '--kind'",
      hint: "'--kind' takes tea or coffee"),
    Misuse("about puor", "unknown command 'puor'", hint: "did you mean 'pour'?"),
    // Counts
    Misuse(
      "pour cup -o a --output=b", "option '--output' is given more than once",
      hint: "give it once at most"),
    Misuse(
      "pour -f --force", "option '--force' is given more than once", hint: "give it once at most"),
    Misuse("-q about -q", "option '--quiet' is given more than once", hint: "give it once at most"),
    Misuse("pour -o table", "'brew pour' needs CUP", hint: pourUsage),
    Misuse("pour cup", "'brew pour' needs '--output'", hint: pourUsage),
    Misuse("pour cup pot -o t", "unexpected 'pot' after 'brew pour'", hint: pourUsage),
    Misuse("mix out", "'brew mix' needs CUP", hint: "usage: brew mix OUT CUP... [options]"),
    Misuse(
      "about mix pour", "unexpected 'pour' after 'brew about'",
      hint: "usage: brew about [COMMAND] [options]"),
  ])
  func isRefused(_ misuse: Misuse) {
    let error = #expect(throws: UsageError.self) {
      try ArgumentParser(for: sampleProgram).parse(misuse.words)
    }
    #expect(error == UsageError(misuse.message, hint: misuse.hint))
  }

  @Test func anEmptyOperandIsRefused() {
    let error = #expect(throws: UsageError.self) { try parse("pour", "", "-o", "t") }
    #expect(error?.message == "CUP is empty")
  }
}
