import Testing

@testable import decant

@Suite struct SuggestionsTests {
  private static let options = [
    "output", "bits", "group-size", "method", "max-shard-size", "min-coverage", "no-color",
    "non-finite",
  ]

  @Test(arguments: [
    ("grop-size", ["group-size"]),
    ("gruop-size", ["group-size"]),
    ("groupsize", ["group-size"]),
    ("GROUP-SIZE", ["group-size"]),
    ("max", ["max-shard-size"]),
    ("no", ["no-color", "non-finite"]),
    ("bit", ["bits"]),
    ("bots", ["bits"]),
    ("o", []),
    ("", []),
    ("zebra", []),
  ])
  func theClosestAreOffered(_ word: String, expected: [String]) {
    #expect(suggestions(for: word, among: Self.options) == expected)
  }

  @Test func aSingleLetterMatchesByCaseOnly() {
    #expect(suggestions(for: "7", among: ["2", "3", "4"]) == [])
    #expect(suggestions(for: "A", among: ["a", "b"]) == ["a"])
  }

  @Test func manyEquallyCloseAreNoHelp() {
    #expect(suggestions(for: "ax", among: ["ab", "ac", "ad", "ae"]) == [])
  }

  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1),
    ("abcd", "badc", 2), ("kitten", "sitting", 3), ("ca", "abc", 3),
  ])
  func editsAreCounted(_ source: String, _ target: String, distance: Int) {
    #expect(editDistance(Array(source), Array(target)) == distance)
  }
}
