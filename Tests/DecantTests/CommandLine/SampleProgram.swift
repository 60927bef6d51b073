@testable import decant

/// A program with one option of each sort, so that tests do not depend on what decant offers.
let sampleProgram = ProgramDescription(
  name: "brew",
  version: "1.2.3",
  date: "2026-01-02",
  summary: "make drinks",
  commands: [
    CommandDescription(
      name: "pour",
      summary: "fill a cup",
      operands: [OperandDescription(name: "CUP", help: "The cup.", accepts: .path)],
      options: [
        OptionDescription(
          long: "output", short: "o", value: .init("OUT", .directory), help: "Where to.",
          isRequired: true),
        OptionDescription(
          long: "kind", value: .init("KIND", .choices(["tea", "coffee"]), default: .value("tea")),
          help: "What to pour. It is hot."),
        OptionDescription(
          long: "jobs", short: "j", value: .init("N", default: .described("all hands")),
          help: "Pour N at once."),
        OptionDescription(
          long: "add", short: "a", value: .init("THING"), help: "Something on top.",
          isRepeatable: true),
        OptionDescription(long: "force", short: "f", help: "Pour over."),
        OptionDescription(long: "max-size", value: .init("SIZE"), help: "Stop at SIZE."),
        OptionDescription(long: "full", value: .init("PERCENT"), help: "How full."),
      ],
      examples: [.init("brew pour cup -o table", "Fill the cup.")]),
    CommandDescription(
      name: "mix", summary: "put cups together",
      operands: [
        OperandDescription(name: "OUT", help: "The result."),
        OperandDescription(name: "CUP", help: "A cup.", accepts: .path, isRepeatable: true),
      ]),
    CommandDescription(
      name: "about", summary: "say more",
      operands: [
        OperandDescription(
          name: "COMMAND", help: "A command.", accepts: .command, isRequired: false)
      ]),
  ],
  sharedOptions: SharedOption.all)

/// What the sample program is asked to run; a test fails where it is something else.
func parse(_ words: String...) throws -> Arguments {
  guard case .run(let arguments) = try ArgumentParser(for: sampleProgram).parse(words) else {
    throw NotARun()
  }
  return arguments
}

struct NotARun: Error {}
