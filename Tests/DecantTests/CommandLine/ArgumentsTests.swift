import Testing

@testable import decant

@Suite struct ArgumentsTests {
  @Test func aNumberIsReadWithinItsRange() throws {
    let arguments = try parse("pour", "cup", "-o", "t", "-j4")
    #expect(try arguments.int("jobs", in: 1...8) == 4)
    let error = #expect(throws: UsageError.self) { try arguments.int("jobs", in: 5...8) }
    #expect(
      error
        == UsageError(
          "'4' is no value for '--jobs': out of range", hint: "give a whole number from 5 to 8"))
  }

  @Test(arguments: ["four", "4x", "-4", "+4", "4.0", "٤"])
  func whatIsNoNumberIsRefused(_ text: String) throws {
    let arguments = try parse("pour", "cup", "-o", "t", "--jobs=\(text)")
    let error = #expect(throws: UsageError.self) { try arguments.int("jobs", in: 1...Int.max) }
    #expect(
      error
        == UsageError(
          "'\(text)' is no value for '--jobs': not a whole number",
          hint: "give a whole number, 1 or more"))
  }

  @Test func aHugeNumberIsOutOfRange() throws {
    let arguments = try parse("pour", "cup", "-o", "t", "-j99999999999999999999")
    let error = #expect(throws: UsageError.self) { try arguments.int("jobs") }
    #expect(error?.message == "'99999999999999999999' is no value for '--jobs': out of range")
  }

  @Test func sizesAndPercentagesNameTheirOption() throws {
    let arguments = try parse("pour", "cup", "-o", "t", "--max-size=5X", "--full=150%")
    let size = #expect(throws: UsageError.self) { try arguments.size("max-size") }
    #expect(size?.message == "'5X' is no value for '--max-size': unknown unit 'X'")
    let percent = #expect(throws: UsageError.self) { try arguments.percent("full") }
    #expect(percent?.message == "'150%' is no value for '--full': more than 100%")
  }

  @Test func whatIsAbsentHasNoTypedValue() throws {
    let arguments = try parse("pour", "cup", "-o", "t")
    #expect(try arguments.int("jobs") == nil)
    #expect(try arguments.size("max-size") == nil)
    #expect(try arguments.percent("full") == nil)
  }

  @Test func aChoiceBecomesACase() throws {
    enum Kind: String { case tea, coffee }
    #expect(try parse("pour", "cup", "-o", "t").choice("kind", as: Kind.self) == .tea)
    let arguments = try parse("pour", "cup", "-o", "t", "--kind", "coffee")
    #expect(arguments.choice("kind", as: Kind.self) == .coffee)
  }

  @Test func anOptionThatTheCommandLacksIsAProgrammersMistake() async {
    await #expect(processExitsWith: .failure) {
      _ = try parse("mix", "out", "cup").flag("force")
    }
  }
}
