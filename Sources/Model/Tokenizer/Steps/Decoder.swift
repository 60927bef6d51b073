/// Turns pieces back into text: each step takes the list of texts that the one before gives, and the last
/// ones are put together.
///
/// Source: huggingface/tokenizers, `decoders`.
struct Decoder: Sendable {
  enum Step: Sendable {
    /// Characters of `ByteAlphabet` become bytes.
    case byteLevel
    /// `mark` becomes a space, but none at the beginning of the first piece if `dropsFirst`.
    case mark([UInt8], dropsFirst: Bool)
    /// A space before pieces that do not begin with `prefix`; spaces before punctuation go if `cleansUp`.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    /// `suffix` becomes a space, at the end of the last piece nothing.
    case suffix([UInt8])
    /// Runs of `<0x00>` to `<0xFF>` become bytes, or U+FFFD for each where they are no text.
    case byteNames
    /// Everything becomes one text.
    case fuse
    /// Takes up to so many times `content` from both ends of each text.
    case strip(content: [UInt8], start: Int, end: Int)
    case replace(SplitPattern, content: [UInt8])
  }

  var steps: [Step]

  /// The text of pieces.
  func text(_ pieces: [[UInt8]], _ state: inout EncodingState) throws(TokenizerError) -> [UInt8] {
    var texts = pieces
    for step in steps { texts = try Self.apply(step, texts, &state) }
    return Array(texts.joined())
  }

  private static func apply(
    _ step: Step, _ texts: [[UInt8]], _ state: inout EncodingState
  ) throws(TokenizerError) -> [[UInt8]] {
    switch step {
    case .byteLevel:
      let bytes = texts.flatMap { ByteAlphabet.decode($0.span) ?? $0 }
      return [Array(String(decoding: bytes, as: UTF8.self).utf8)]
    case .mark(let mark, let dropsFirst):
      return texts.enumerated().map { index, text in
        replacing(mark, in: text, with: dropsFirst && index == 0 ? [] : [0x20])
      }
    case .wordPiece(let prefix, let cleansUp):
      return texts.enumerated().map { index, text in
        var joined = text
        if index > 0 {
          joined = text.starts(with: prefix) ? Array(text.dropFirst(prefix.count)) : [0x20] + text
        }
        return cleansUp ? cleaned(joined) : joined
      }
    case .suffix(let suffix):
      return texts.enumerated().map { index, text in
        replacing(suffix, in: text, with: index == texts.count - 1 ? [] : [0x20])
      }
    case .byteNames: return withoutByteNames(texts)
    case .fuse: return [Array(texts.joined())]
    case .strip(let content, let start, let end):
      return texts.map { stripped($0, content, start, end) }
    case .replace(let pattern, let content):
      var result: [[UInt8]] = []
      for text in texts {
        var replaced: [UInt8] = []
        try pattern.forEachPart(of: text.span, &state) { range, isMatch, state in
          replaced += isMatch ? content[...] : text[range]
        }
        result.append(replaced)
        try state.check(byteCount: replaced.count)
      }
      return result
    }
  }

  private static func replacing(_ old: [UInt8], in text: [UInt8], with new: [UInt8]) -> [UInt8] {
    guard !old.isEmpty else { return text }
    let span = text.span
    var result: [UInt8] = []
    var offset = 0
    while let start = span.firstOffset(of: old, from: offset) {
      result += text[offset..<start] + new
      offset = start + old.count
    }
    return result + text[offset...]
  }

  /// What the English of BERT's vocabularies is written like.
  private static func cleaned(_ text: [UInt8]) -> [UInt8] {
    let rules = [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
      (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]
    return rules.reduce(text) { replacing(Array($1.0.utf8), in: $0, with: Array($1.1.utf8)) }
  }

  private static func withoutByteNames(_ texts: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var bytes: [UInt8] = []
    func flush() {
      guard !bytes.isEmpty else { return }
      let isText = (try? UTF8Span(validating: bytes.span)) != nil
      result.append(isText ? bytes : bytes.flatMap { _ in Array("\u{FFFD}".utf8) })
      bytes = []
    }
    for text in texts {
      if let byte = byteName(text) {
        bytes.append(byte)
      } else {
        flush()
        result.append(text)
      }
    }
    flush()
    return result
  }

  private static func byteName(_ text: [UInt8]) -> UInt8? {
    guard text.count == 6, text.starts(with: "<0x".utf8), text[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: text[3...4], as: UTF8.self), radix: 16)
  }

  private static func stripped(
    _ text: [UInt8], _ content: [UInt8], _ start: Int, _ end: Int
  ) -> [UInt8] {
    var rest = text[...]
    var count = 0
    while count < start, rest.starts(with: content) {
      rest = rest.dropFirst(content.count)
      count += 1
    }
    count = 0
    while count < end, rest.suffix(content.count).elementsEqual(content) {
      rest = rest.dropLast(content.count)
      count += 1
    }
    return Array(rest)
  }
}
