import Foundation
import Testing

@testable import decant

/// Rules that every description keeps, so that parser, help and completions can rely on them.
@Suite struct ProgramDescriptionTests {
  @Test(arguments: Program.description.commands.map(\.name))
  func isConsistent(_ name: String) throws {
    let program = Program.description
    let command = try #require(program.command(named: name))
    let options = program.options(of: command)
    #expect(Set(options.map(\.long)).count == options.count)
    #expect(Set(options.compactMap(\.short)).count == options.compactMap(\.short).count)
    #expect(!command.summary.hasSuffix("."))
    #expect(!command.examples.isEmpty)
    #expect(command.operands.dropLast().allSatisfy { $0.isRequired && !$0.isRepeatable })
    for option in options {
      #expect(option.help.hasSuffix("."), "\(option.spelling)")
      #expect(!option.brief.isEmpty && !option.brief.hasSuffix("."), "\(option.spelling)")
      if case .choices(let choices) = option.value?.accepts,
        case .value(let fallback) = option.value?.fallback
      {
        #expect(choices.contains(fallback), "\(option.spelling)")
      }
    }
  }

  @Test func sharedOptionsAreFlagsBecauseTheyMayPrecedeTheCommand() {
    #expect(Program.description.sharedOptions.allSatisfy { $0.isFlag })
  }

  @Test(arguments: Program.description.commands.flatMap(\.examples).map(\.command))
  func everyExampleCanBeParsed(_ line: String) throws {
    let program = Program.description
    let words = line.components(separatedBy: " > ")[0].split(separator: " ").map {
      String($0).replacing("'", with: "")
    }
    #expect(words.first == program.name)
    guard case .run = try ArgumentParser(for: program).parse(Array(words.dropFirst())) else {
      throw NotARun()
    }
  }

  /// `convert` with nothing but what is required, so that its defaults are what help says.
  @Test func convertHasItsDefaults() throws {
    let parsed = try ArgumentParser(for: Program.description).parse(["convert", "in", "-oout"])
    guard case .run(let arguments) = parsed else { throw NotARun() }
    #expect(try arguments.int("bits") == 4)
    #expect(try arguments.int("group-size") == 64)
    // A text makes it another, so that the option itself has none.
    #expect(arguments.value("method") == nil)
    #expect(arguments.value("scale-dtype") == "auto")
    #expect(arguments.value("non-finite") == "error")
    #expect(try arguments.size("max-shard-size")?.bytes == 5_000_000_000)
    #expect(try arguments.percent("min-coverage") == nil)
    #expect(try arguments.int("jobs") == nil)
  }
}
