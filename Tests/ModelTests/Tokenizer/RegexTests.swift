import TestSupport
import Testing

@testable import Model

@Suite struct RegexTests {
  /// All matches of `pattern` in `text`, as text.
  private func matches(_ pattern: String, _ text: String) throws -> [String] {
    try ranges(of: .regex(RegexProgram(pattern)), Array(text.utf8)).map {
      String(decoding: Array(text.utf8)[$0], as: UTF8.self)
    }
  }

  /// A pattern, a text, and the matches of the library's Oniguruma.
  @Test(
    arguments: [
      ("a{1,2}+", "aaaaab", ["aaaaa"]), ("(?:a{1,2})", "aaa", ["aa", "a"]),
      ("a{,2}b", "aaab", ["aab"]), ("a++a", "aaa", []), ("a+?", "aa", ["a", "a"]),
      ("a*?b", "aab", ["aab"]), ("(?>a*)b|a", "aa", ["a", "a"]),
      ("[^ab]+", "xaÿ日b", ["x", "ÿ日"]), ("[a-c&&[^b]]+", "abc", ["a", "c"]),
      ("[x[0-9]y]+", "a1x2", ["1x2"]), (#"[\d\-]+"#, "1-2 ٣", ["1-2", "٣"]),
      ("(?i:k|s)", "kKſs", ["k", "K", "ſ", "s"]), ("(?i:'ll)", "'Ll 'ſ", ["'Ll"]),
      (#"\s+$"#, "a  \nb \t", ["  ", " \t"]), ("^b", "a\nb", ["b"]),
      (#"\s+(?!\S)"#, "a   b", ["  "]), ("(?<=a|bc)x", "ax bcx cx", ["x", "x"]),
      ("(?<!a)x", "ax bx", ["x"]), (#"(?=(\d{3})+(?!\d))"#, "1234567", ["", ""]),
      (#"\p{Lu}\P{Lu}"#, "Ab日", ["Ab"]), (#"\p{^L}"#, "a1", ["1"]),
      (#"\x{65E5}\u672C"#, "日本", ["日本"]), (".", "\r\n", ["\r"]),
      (#"\Aa|a\z"#, "aba", ["a", "a"]), ("(a|b)*c", "ababc", ["ababc"]),
      ("(a*)*b", "aab", ["aab"]), ("(a?){3}b", "aab", ["aab"]), ("", "ab", ["", "", ""]),
      (#"\w+"#, "a²_é", ["a²_é"]), ("[一-龥]+", "가一丁", ["一丁"]), ("{2}", "", nil),
    ] as [(String, String, [String]?)])
  func matchesAreOnigurumas(_ pattern: String, _ text: String, _ expected: [String]?) throws {
    guard let expected else {
      #expect(throws: RegexError.self) { try RegexProgram(pattern) }
      return
    }
    #expect(try matches(pattern, text) == expected)
  }

  @Test(
    arguments: [
      "(", ")", "a)", "[a", "[]a]", "a{", "a{x}", "a{2,1}", "a{1001}", "*a", "a|*", #"\"#, #"\q"#,
      #"\b"#, #"\1"#, #"\x{110000}"#, #"\xFF"#, #"\u12"#, #"\p{Script=Han}"#, #"\p{L&}"#, #"\pL"#,
      "(?i)a", "(?<n>a)", "(?#a)", "(?<=a+)b", "[[:alpha:]]", "[b-a]", "(?i:ss)", "(?i:é)",
      #"(?i:\p{L})"#, "((a{1000}){1000}){1000}", String(repeating: "(", count: 10_000),
      String(repeating: "[", count: 10_000), "a" + String(repeating: "{1}", count: 10_000),
      String(repeating: "a", count: 70_000),
    ])
  func whatIsNotSupportedIsRefused(_ pattern: String) {
    let error = #expect(throws: RegexError.self) { try RegexProgram(pattern) }
    #expect(error?.reason.isEmpty == false)
  }

  @Test(arguments: ["(a+)+b", "(a|a)*b", "(a|aa)+$b", "(?=(a+)+b)", "(a?){30}a{30}b"])
  func aPatternThatTriesEverythingIsStopped(_ pattern: String) throws {
    let program = try RegexProgram(pattern)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 60)
    var machine = RegexMachine()
    machine.begin(stepLimit: 20_000)
    #expect(throws: TokenizerError.patternTooSlow(pattern)) {
      _ = try machine.firstMatch(of: program, in: text.span, from: 0, taken: -1)
    }
  }

  /// A run that the pattern begins with is tried once, and not again from each of its scalars.
  @Test func aRunThatLeadsNowhereIsSkipped() throws {
    let program = try RegexProgram(#"\s+$"#)
    let text = [UInt8](repeating: 0x20, count: 2000) + [0x61]
    var machine = RegexMachine()
    machine.begin(stepLimit: 20_000)
    #expect(try machine.firstMatch(of: program, in: text.span, from: 0, taken: -1) == nil)
  }
}

/// All matches in order, found as `Split` finds them.
func ranges(of pattern: SplitPattern, _ text: [UInt8]) throws -> [Range<Int>] {
  var state = EncodingState(byteCount: text.count)
  var result: [Range<Int>] = []
  try pattern.forEachPart(of: text.span, &state) { range, isMatch, _ in
    if isMatch { result.append(range) }
  }
  return result
}
