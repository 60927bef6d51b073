/// Tokens that are looked for in a text before a model sees it: special ones, and others that were added.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    let id: Int32
    /// Not beside a character of a word.
    let isSingleWord: Bool
    /// Takes the white space before it.
    let stripsLeft: Bool
    /// Takes the white space behind it.
    let stripsRight: Bool
  }

  private var tokens: [Token] = []
  private var trie = ByteTrie()

  var isEmpty: Bool { tokens.isEmpty }

  /// Adds a token, in the place of one with the same content.
  mutating func add(_ content: [UInt8], _ token: Token) {
    trie.insert(content, Int32(tokens.count))
    tokens.append(token)
  }

  /// Calls `body` with all of `text` in order: tokens with their ids, and what is between them. White space
  /// that two tokens take is given to both.
  func forEachPart(
    of text: Span<UInt8>, _ state: inout EncodingState,
    _ body: (Range<Int>, Int32?, inout EncodingState) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    // The end of the last token, and where the next is looked for: behind a match, whatever becomes of it.
    var (last, offset) = (0, 0)
    while !isEmpty, offset < text.count {
      guard let match = trie.longestMatch(in: text, at: offset) else {
        offset += 1
        continue
      }
      var (start, end) = (offset, match.end)
      offset = end
      let token = tokens[Int(match.value)]
      if token.isSingleWord, isBesideWord(text, start, end) { continue }
      if token.stripsLeft {
        while start > last, isBlank(text, text.scalarStart(before: start)) {
          start = text.scalarStart(before: start)
        }
        start = max(start, last)
      }
      while token.stripsRight, end < text.count, isBlank(text, end) {
        end = text.scalarEnd(at: end)
      }
      if last < start { try body(last..<start, nil, &state) }
      try body(start..<end, token.id, &state)
      last = end
    }
    if last < text.count { try body(last..<text.count, nil, &state) }
  }

  private func isBlank(_ text: Span<UInt8>, _ offset: Int) -> Bool {
    ScalarSet.whiteSpace.contains(text.scalar(at: offset).value)
  }

  private func isBesideWord(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    func isWord(_ offset: Int) -> Bool {
      ScalarSet.rustWord.contains(text.scalar(at: offset).value)
    }
    return start > 0 && isWord(text.scalarStart(before: start))
      || end < text.count && isWord(end)
  }
}
