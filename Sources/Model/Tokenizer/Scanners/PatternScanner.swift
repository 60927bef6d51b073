/// Finds what the patterns of large families match, without going back: one pass over each match. The
/// patterns are told by their exact text; any other goes to `RegexMachine`, whose results these are.
struct PatternScanner: Sendable {
  enum Pattern: Equatable {
    case gpt2
    /// Llama 3, OLMo 2, Qwen. `wordsHaveMarks` since Qwen 3.5.
    case llama3(digits: Int, wordsHaveMarks: Bool)
    /// gpt-oss; Mistral's tekken where words have no contraction at their end.
    case o200k(digits: Int, hasContractions: Bool)
    case deepSeekV3
  }

  let pattern: Pattern
  let categories = CategoryTable.shared

  init(_ pattern: Pattern) { self.pattern = pattern }

  /// Nil for a text that none of the patterns has.
  init?(pattern text: String) {
    guard let (_, pattern) = Self.known.first(where: { $0.text.utf8.elementsEqual(text.utf8) })
    else { return nil }
    self.pattern = pattern
  }

  /// Where the match ends that begins at `start`; nil where none does.
  func matchEnd(in text: Span<UInt8>, at start: Int) -> Int? {
    switch pattern {
    case .gpt2: gpt2(text, start)
    case .llama3(let digits, let wordsHaveMarks):
      llama3(text, start, digits: digits, letters: wordsHaveMarks ? [.letter, .mark] : .letter)
    case .o200k(let digits, let hasContractions):
      o200k(text, start, digits: digits, hasContractions: hasContractions)
    case .deepSeekV3: deepSeekV3(text, start)
    }
  }

  static let gpt2Text =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  static let known: [(text: String, pattern: Pattern)] = {
    let contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    let blanks = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let prefix = #"[^\r\n\p{L}\p{N}]?"#
    let symbols = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#
    func llama3(_ digits: String) -> String {
      contraction + "|" + prefix + #"\p{L}+|"# + digits + symbols + blanks
    }
    func o200k(_ digits: String, _ end: String) -> String {
      let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
      let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
      return prefix + upper + "*" + lower + "+" + end + "|" + prefix + upper + "+" + lower + "*"
        + end + "|" + digits + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + blanks
    }
    let threeDigits = #"\p{N}{1,3}"#
    let oneDigit = #"\p{N}"#
    return [
      (gpt2Text, .gpt2),
      (llama3(threeDigits), .llama3(digits: 3, wordsHaveMarks: false)),
      (llama3(oneDigit), .llama3(digits: 1, wordsHaveMarks: false)),
      (
        contraction + "|" + prefix + #"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
          + blanks, .llama3(digits: 1, wordsHaveMarks: true)
      ),
      (o200k(threeDigits, contraction + "?"), .o200k(digits: 3, hasContractions: true)),
      (o200k(oneDigit, ""), .o200k(digits: 1, hasContractions: false)),
      (
        ##"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"##
          + #"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"# + blanks, .deepSeekV3
      ),
    ]
  }()
}
