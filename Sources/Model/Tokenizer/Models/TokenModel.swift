/// What turns a piece into ids.
indirect enum TokenModel: Sendable {
  case bpe(BPEModel)
  case unigram(UnigramModel)
  case wordPiece(WordPieceModel)
  /// Whole pieces.
  case wordLevel(Vocabulary, UnknownToken)

  var vocabulary: Vocabulary {
    switch self {
    case .bpe(let model): model.vocabulary
    case .unigram(let model): model.vocabulary
    case .wordPiece(let model): model.vocabulary
    case .wordLevel(let vocabulary, _): vocabulary
    }
  }

  /// The first id that is free for added tokens.
  var size: Int {
    if case .unigram(let model) = self { return model.vocabulary.indices.count }
    return vocabulary.count
  }

  /// Appends the ids of a piece, which is not empty.
  func append(_ piece: Span<UInt8>, _ state: inout EncodingState) throws(TokenizerError) {
    guard piece.count <= PieceCache.longest else { return try appendNew(piece, &state) }
    let key = state.cache.key(of: piece)
    if state.cache.append(piece, key: key, to: &state.ids) { return }
    let first = state.ids.count
    try appendNew(piece, &state)
    state.cache.insert(piece, key: key, state.ids[first...])
  }

  private func appendNew(
    _ piece: Span<UInt8>, _ state: inout EncodingState
  ) throws(TokenizerError) {
    switch self {
    case .bpe(let model): try model.append(piece, &state)
    case .unigram(let model): try model.append(piece, &state)
    case .wordPiece(let model): try model.append(piece, &state)
    case .wordLevel(let vocabulary, let unknown):
      if let id = vocabulary.id(of: piece) {
        state.ids.append(id)
      } else {
        state.ids.append(try unknown.id())
      }
    }
  }
}
