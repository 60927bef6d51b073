import Testing

@testable import decant

@Suite struct ArgumentParserTests {
  @Test(arguments: [
    ["pour", "cup", "--output", "table"],
    ["pour", "cup", "--output=table"],
    ["pour", "cup", "-o", "table"],
    ["pour", "cup", "-otable"],
    ["pour", "-fqotable", "cup"],
    ["pour", "-o", "table", "--", "cup"],
    ["-q", "pour", "-o", "table", "cup"],
    ["--", "pour", "-o", "table", "cup"],
  ])
  func anOptionMayBeWrittenInEachGNUForm(_ words: [String]) throws {
    guard case .run(let arguments) = try ArgumentParser(for: sampleProgram).parse(words) else {
      throw NotARun()
    }
    #expect(arguments.command.name == "pour")
    #expect(arguments.operands == ["cup"])
    #expect(arguments.value("output") == "table")
    #expect(arguments.flag("force") == words.contains("-fqotable"))
    #expect(arguments.flag("quiet") == words.contains { $0.hasPrefix("-q") || $0 == "-fqotable" })
  }

  @Test func aValueMayContainTheSignAndSpaces() throws {
    let arguments = try parse("pour", "cup", "--output=a=b c", "-aa=b", "--add", "x=1:2")
    #expect(arguments.value("output") == "a=b c")
    #expect(arguments.values("add") == ["a=b", "x=1:2"])
  }

  @Test func repeatedValuesKeepTheirOrder() throws {
    let arguments = try parse("pour", "-a", "milk", "cup", "--add=sugar", "-o", "t", "-aice")
    #expect(arguments.values("add") == ["milk", "sugar", "ice"])
  }

  @Test func aValueMayBeginWithADashUnlessItIsAnOption() throws {
    #expect(try parse("pour", "cup", "-o", "-x").value("output") == "-x")
    #expect(try parse("pour", "cup", "-o", "-").value("output") == "-")
    #expect(try parse("pour", "cup", "-o", "--unknown").value("output") == "--unknown")
    #expect(try parse("pour", "cup", "--output=--force").value("output") == "--force")
    #expect(try parse("pour", "cup", "--output=--").value("output") == "--")
  }

  @Test func allAfterTwoDashesAreOperands() throws {
    let arguments = try parse("mix", "--", "out", "--force", "-", "--")
    #expect(arguments.operands == ["out", "--force", "-", "--"])
  }

  @Test func theLastOperandMayTakeTheRest() throws {
    #expect(try parse("mix", "out", "a", "b", "c").operands == ["out", "a", "b", "c"])
  }

  @Test func anOptionalOperandMayBeAbsent() throws {
    #expect(try parse("about").operands == [])
    #expect(try parse("about", "mix").operands == ["mix"])
  }

  @Test func defaultsHoldWhereNothingIsGiven() throws {
    let arguments = try parse("pour", "cup", "-o", "t")
    #expect(arguments.value("kind") == "tea")
    #expect(!arguments.isGiven("kind"))
    #expect(arguments.value("jobs") == nil)
    #expect(arguments.values("add") == [])
    #expect(!arguments.flag("force"))
  }

  @Test(arguments: [
    ["--help"], ["-h"], ["-qh"], ["--help", "pour"], ["--no-color", "--help", "--bogus"],
  ])
  func helpOfTheProgramStandsBeforeTheCommand(_ words: [String]) throws {
    guard case .help(nil) = try ArgumentParser(for: sampleProgram).parse(words) else {
      Issue.record("\(words) is not a request for help")
      return
    }
  }

  @Test(arguments: [
    ["pour", "--help"], ["pour", "-h"], ["pour", "-fh"], ["pour", "a", "b", "c", "--help"],
    ["pour", "--help", "--bogus"],
  ])
  func helpOfACommandNeedsNothingElse(_ words: [String]) throws {
    guard case .help(let command?) = try ArgumentParser(for: sampleProgram).parse(words) else {
      Issue.record("\(words) is not a request for a command's help")
      return
    }
    #expect(command.name == "pour")
  }

  @Test(arguments: [["--version"], ["-q", "--version"], ["pour", "--version"]])
  func versionNeedsNothingElse(_ words: [String]) throws {
    guard case .version = try ArgumentParser(for: sampleProgram).parse(words) else {
      Issue.record("\(words) is not a request for the version")
      return
    }
  }

  @Test(arguments: [[], ["-q"], ["--"]])
  func withoutACommandNothingIsAskedFor(_ words: [String]) throws {
    #expect(try ArgumentParser(for: sampleProgram).parse(words) == nil)
  }
}
