/// Greedy cutting of words: at each place the longest piece of the vocabulary.
///
/// Source: google-research/bert, `tokenization.py`, `WordpieceTokenizer`.
struct WordPieceModel: Sendable {
  let vocabulary: Vocabulary
  private let trie: ByteTrie
  /// Where the search for a part begins that is not the first; nil where no piece is for that.
  private let inner: Int32?
  private let unknown: UnknownToken
  /// Longer words, in characters, are unknown.
  private let longestWord: Int

  /// - Parameter prefix: before every part but the first, in the vocabulary.
  init(_ vocabulary: Vocabulary, prefix: [UInt8], unknown: UnknownToken, longestWord: Int) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.longestWord = longestWord
    var trie = ByteTrie(capacity: 4 * vocabulary.count)
    for entry in vocabulary.indices {
      trie.insert(vocabulary[entry], vocabulary.id(at: entry))
    }
    self.trie = trie
    inner = trie.node(prefix)
  }

  /// Appends the ids of a piece: those of its parts, or one for all of it where they do not fit.
  func append(_ piece: Span<UInt8>, _ state: inout EncodingState) throws(TokenizerError) {
    let firstId = state.ids.count
    var offset = 0
    var isKnown = !isTooLong(piece)
    while isKnown, offset < piece.count {
      let start = offset == 0 ? ByteTrie.root : inner
      if let start, let match = trie.longestMatch(in: piece, at: offset, from: start) {
        state.ids.append(match.value)
        offset = match.end
      } else {
        isKnown = false
      }
    }
    if !isKnown {
      state.ids.removeSubrange(firstId...)
      state.ids.append(try unknown.id())
    }
  }

  private func isTooLong(_ piece: Span<UInt8>) -> Bool {
    var (count, offset) = (0, 0)
    while offset < piece.count {
      count += 1
      if count > longestWord { return true }
      offset = piece.scalarEnd(at: offset)
    }
    return false
  }
}
