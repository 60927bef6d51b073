/// Turns text into token ids and back, as a `tokenizer.json` describes it.
///
/// Added tokens are cut out first, then the rest is normalized, cut into pieces, and each piece given to
/// the model. Ids are those that the library `tokenizers` 0.23.3 gives, without truncation and padding, which
/// are about batches and not about text.
package struct Tokenizer: Sendable {
  /// Looked for in the text as it is.
  let rawTokens: AddedTokens
  /// Looked for in what the normalizer makes of the text.
  let normalizedTokens: AddedTokens
  let normalizer: Normalizer?
  let preTokenizer: PreTokenizer
  let model: TokenModel
  let postProcessor: PostProcessor
  /// Nil where pieces are put together with spaces between them.
  let decoder: Decoder?
  /// What added tokens are written as, and whether they are special.
  let addedContents: [Int32: AddedContent]
  /// One more than the largest id of a token.
  package let vocabularySize: Int

  /// What is put before a whole text, such as the token that begins a sequence. For texts that go on, which
  /// what is put behind a text would end.
  package var leadingTokens: [Int32] { postProcessor.before }

  struct AddedContent: Sendable {
    let bytes: [UInt8]
    let isSpecial: Bool
  }

  /// Longest text that is encoded at a time, in bytes.
  package static let longestText = 1 << 28

  /// The ids of `text`.
  ///
  /// - Parameters:
  ///   - addSpecialTokens: whether the tokens are put around it that mark a whole text. Those that the
  ///     text itself spells are recognized in any case.
  ///   - cache: of this tokenizer; one that is kept from text to text saves time.
  /// - Throws: `TokenizerError`: the text is not UTF-8 or too long, takes too many steps, or has
  ///   something that the vocabulary has no token for.
  package func encode(
    _ text: Span<UInt8>, addSpecialTokens: Bool = true, cache: inout PieceCache
  ) throws(TokenizerError) -> [Int32] {
    guard text.count <= Self.longestText else {
      throw .textTooLong(byteCount: text.count, limit: Self.longestText)
    }
    do {
      _ = try UTF8Span(validating: text)
    } catch {
      throw .textNotUTF8(offset: error.byteOffsets.lowerBound)
    }
    var state = EncodingState(byteCount: text.count)
    // Not a copy: the first change would then copy all of it.
    swap(&state.cache, &cache)
    defer { swap(&state.cache, &cache) }
    if addSpecialTokens { state.ids += postProcessor.before }
    try appendIds(text, &state)
    if addSpecialTokens { state.ids += postProcessor.behind }
    return state.ids
  }

  private func appendIds(_ text: Span<UInt8>, _ state: inout EncodingState) throws(TokenizerError) {
    try rawTokens.forEachPart(of: text, &state) { range, id, state throws(TokenizerError) in
      if let id {
        state.ids.append(id)
        return
      }
      let part = text.extracting(range)
      if let changed = try normalizer?.changed(part, &state) {
        try appendNormalized(changed.span, isAtStart: range.lowerBound == 0, &state)
      } else {
        try appendNormalized(part, isAtStart: range.lowerBound == 0, &state)
      }
    }
  }

  private func appendNormalized(
    _ text: Span<UInt8>, isAtStart: Bool, _ state: inout EncodingState
  ) throws(TokenizerError) {
    // Closures that are called for every piece must not hold a copy of everything.
    let (preTokenizer, model) = (preTokenizer, model)
    try normalizedTokens.forEachPart(of: text, &state) { range, id, state throws(TokenizerError) in
      if let id {
        state.ids.append(id)
        return
      }
      try preTokenizer.forEachPiece(
        of: text.extracting(range), isAtStart: isAtStart && range.lowerBound == 0, &state
      ) { piece, state throws(TokenizerError) in try model.append(piece, &state) }
    }
  }

  /// The text of `ids`, as UTF-8.
  ///
  /// - Throws: `TokenizerError`: an id that no token has, or a decoder that makes too much of its text.
  package func decode(
    _ ids: [Int32], skippingSpecialTokens: Bool = false
  ) throws(TokenizerError) -> [UInt8] {
    var pieces: [[UInt8]] = []
    var byteCount = 0
    for id in ids {
      let piece: [UInt8]
      if let added = addedContents[id] {
        if added.isSpecial && skippingSpecialTokens { continue }
        piece = added.bytes
      } else if let known = model.vocabulary.piece(id) {
        piece = Array(known)
      } else {
        throw .unknownId(id)
      }
      byteCount += piece.count
      pieces.append(piece)
    }
    guard let decoder else { return Array(pieces.joined(separator: [0x20])) }
    var state = EncodingState(byteCount: byteCount)
    return try decoder.text(pieces, &state)
  }
}
