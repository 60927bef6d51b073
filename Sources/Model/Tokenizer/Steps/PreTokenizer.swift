/// Cuts a text into pieces that the model sees one by one, in steps each of which takes every piece of
/// the one before.
struct PreTokenizer: Sendable {
  enum Step: Sendable {
    /// `isInverted` swaps matches with what is between them.
    case split(SplitPattern, SplitBehavior, isInverted: Bool)
    /// Puts a space before a piece that begins with none.
    case leadingSpace
    /// Bytes become characters of `ByteAlphabet`.
    case mapBytes
    /// Spaces become `mark`, which is also put before a piece that does not begin with it.
    case mark([UInt8], prepend: Prepending)
  }

  enum Prepending: String, Sendable {
    case always, never
    /// Before the piece that begins where the text does.
    case first
  }

  var steps: [Step] = []

  /// Calls `body` with every piece of `text`; none is empty.
  ///
  /// - Parameter isAtStart: whether `text` begins where the whole text does.
  func forEachPiece(
    of text: Span<UInt8>, isAtStart: Bool, _ state: inout EncodingState,
    _ body: (Span<UInt8>, inout EncodingState) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try take(0, text, isAtStart, &state, body)
  }

  /// Gives a piece to step `index` and those behind it.
  private func take(
    _ index: Int, _ text: Span<UInt8>, _ isAtStart: Bool, _ state: inout EncodingState,
    _ body: (Span<UInt8>, inout EncodingState) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    guard !text.isEmpty else { return }
    guard index < steps.count else { return try body(text, &state) }
    switch steps[index] {
    case .split(let pattern, let behavior, let isInverted):
      var joiner = PieceJoiner(behavior)
      try pattern.forEachPart(of: text, &state) {
        range, isMatch, state throws(TokenizerError) in
        guard let piece = joiner.add(range, isMatch: isMatch != isInverted) else { return }
        try take(
          index + 1, text.extracting(piece), isAtStart && piece.lowerBound == 0, &state, body)
      }
      if let piece = joiner.finish() {
        try take(
          index + 1, text.extracting(piece), isAtStart && piece.lowerBound == 0, &state, body)
      }
    case .leadingSpace:
      if text[0] == 0x20 { return try take(index + 1, text, isAtStart, &state, body) }
      var spaced: [UInt8] = [0x20]
      spaced.append(text)
      try take(index + 1, spaced.span, isAtStart, &state, body)
    case .mapBytes:
      var mapped: [UInt8] = []
      ByteAlphabet.append(text, to: &mapped)
      try state.check(byteCount: mapped.count)
      try take(index + 1, mapped.span, isAtStart, &state, body)
    case .mark(let mark, let prepend):
      var marked: [UInt8] = []
      marked.reserveCapacity(text.count + text.count / 2 + mark.count)
      let isMarked = text[0] == 0x20 || text.starts(with: mark)
      if !isMarked, prepend == .always || prepend == .first && isAtStart {
        marked.append(contentsOf: mark)
      }
      for i in text.indices {
        if text[i] == 0x20 { marked.append(contentsOf: mark) } else { marked.append(text[i]) }
      }
      try state.check(byteCount: marked.count)
      try take(index + 1, marked.span, isAtStart, &state, body)
    }
  }
}

extension PreTokenizer {
  /// Whether the pieces are bytes that become characters at the very end.
  var mapsBytesLast: Bool {
    if case .mapBytes = steps.last { true } else { false }
  }

  /// Whether a mark is put before the first piece only.
  var marksFirst: Bool {
    steps.contains { if case .mark(_, .first) = $0 { true } else { false } }
  }
}
