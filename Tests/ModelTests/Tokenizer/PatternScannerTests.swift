import TestSupport
import Testing

@testable import Model

/// The scanners written by hand beside the expressions that they stand for.
@Suite struct PatternScannerTests {
  /// Of each kind of character that some pattern tells apart, a few; the blanks and line breaks twice.
  private static let characters: [String] = [
    " ", " ", "  ", "\n", "\r\n", "\t", "\u{85}", "\u{3000}", "a", "b", "A", "Z", "é", "É", "ß",
    "ǅ",
    "ʰ", "日", "あ", "ー", "한", "\u{301}", "\u{903}", "1", "23", "٣", "Ⅷ", "½", "²", "'", "'s", "'S",
    "'ſ", "'re", "'LL", "'d", ".", "/", "!", "_", "«", "$", "€", "😀", "\u{200D}", "\u{0}", "\u{AD}",
    "\u{E000}", "\u{378}",
  ]

  @Test(arguments: PatternScanner.known.indices)
  func matchesAreTheExpressions(_ index: Int) throws {
    let (text, pattern) = PatternScanner.known[index]
    let program = try RegexProgram(text)
    var noise = Noise(seed: UInt64(index))
    for round in 0..<60 {
      let count = Int.random(in: 1...16, using: &noise)
      let sample = (0..<count).map { _ in Self.characters.randomElement(using: &noise) ?? "" }
      let bytes = Array(sample.joined().utf8)
      let scanned = try ranges(of: .scanner(PatternScanner(pattern)), bytes)
      let expected = try ranges(of: .regex(program), bytes)
      #expect(scanned == expected, "round \(round): \(sample)")
    }
  }

  @Test func aPatternIsKnownByItsExactText() {
    #expect(PatternScanner(pattern: PatternScanner.gpt2Text)?.pattern == .gpt2)
    #expect(PatternScanner(pattern: PatternScanner.gpt2Text + "|x") == nil)
  }

  /// Which families of the fixtures need no expression at all.
  @Test(arguments: ["llama3", "olmo2", "qwen2", "qwen35", "o200k", "tekken"])
  func familiesAreScanned(_ name: String) throws {
    let steps = try TokenizerSet(name: name).tokenizer().preTokenizer.steps
    let isScanned =
      if case .split(.scanner, .isolated, false)? = steps.first { true } else { false }
    #expect(isScanned && steps.count == 1)
  }
}
