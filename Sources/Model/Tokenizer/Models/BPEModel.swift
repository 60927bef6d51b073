/// Byte-pair encoding: a piece is taken apart into characters or bytes, and neighbours are merged, those
/// first that were merged first in training.
///
/// Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016;
/// huggingface/tokenizers, `models/bpe`.
struct BPEModel: Sendable {
  let vocabulary: Vocabulary
  /// Two ids, to the rank of their merge in the upper half and the id of the result in the lower.
  let merges: PairTable
  let unknown: UnknownToken
  /// Neighbours that are not in the vocabulary give one token.
  let fusesUnknown: Bool
  /// What is not in the vocabulary is written as its bytes, where all of them have a name in it.
  let namesBytes: Bool
  /// A piece that is in the vocabulary is not merged from its parts.
  let takesWholePieces: Bool
  /// Before every character but the first of a piece, in the vocabulary.
  let prefix: [UInt8]
  /// Behind the last character of a piece, in the vocabulary.
  let suffix: [UInt8]
  /// Whether pieces are bytes that the vocabulary spells in `ByteAlphabet`.
  let takesBytes: Bool
  /// The ids of single bytes, -1 where there is none, for the four places that a byte can have in a piece.
  let byteIds: [Int32]
  /// The ids of `<0x00>` to `<0xFF>`, -1 where there is none.
  let byteNames: [Int32]

  /// Appends the ids of a piece.
  func append(_ piece: Span<UInt8>, _ state: inout EncodingState) throws(TokenizerError) {
    if takesWholePieces, let id = wholeId(piece) {
      state.ids.append(id)
      return
    }
    state.merging.begin(capacity: piece.count)
    try appendSymbols(piece, &state.merging)
    state.merging.merge(by: merges)
    state.merging.appendSymbols(to: &state.ids)
  }

  private func wholeId(_ piece: Span<UInt8>) -> Int32? {
    guard takesBytes else { return vocabulary.id(of: piece) }
    var spelled: [UInt8] = []
    ByteAlphabet.append(piece, to: &spelled)
    return vocabulary.id(of: spelled)
  }

  private func appendSymbols(
    _ piece: Span<UInt8>, _ symbols: inout MergeQueue
  ) throws(TokenizerError) {
    var offset = 0
    // A token for what is unknown waits until the next known character, and so comes behind names of bytes.
    var isPending = false
    while offset < piece.count {
      let end = takesBytes ? offset + 1 : piece.scalarEnd(at: offset)
      let place = (offset == 0 ? 0 : 1) + (end == piece.count ? 2 : 0)
      let known =
        takesBytes
        ? byteIds[place << 8 + Int(piece[offset])]
        : id(piece.extracting(offset..<end), place)
      if known >= 0 {
        if isPending { symbols.append(try unknown.id()) }
        isPending = false
        symbols.append(known)
      } else if !appendByteNames(piece.extracting(offset..<end), place, &symbols), unknown.isNamed {
        if isPending, !fusesUnknown { symbols.append(try unknown.id()) }
        isPending = true
      }
      offset = end
    }
    if isPending { symbols.append(try unknown.id()) }
  }

  /// The id of a character at one of four places: 1 is added behind the first, 2 at the last.
  private func id(_ character: Span<UInt8>, _ place: Int) -> Int32 {
    if prefix.isEmpty && suffix.isEmpty || place == 0 {
      return vocabulary.id(of: character) ?? -1
    }
    return vocabulary.id(of: spelled(character, place)) ?? -1
  }

  private func spelled(_ character: Span<UInt8>, _ place: Int) -> [UInt8] {
    var spelled = place & 1 == 1 ? prefix : []
    if takesBytes {
      ByteAlphabet.append(character, to: &spelled)
    } else {
      spelled.append(character)
    }
    if place & 2 == 2 { spelled += suffix }
    return spelled
  }

  private func appendByteNames(
    _ character: Span<UInt8>, _ place: Int, _ symbols: inout MergeQueue
  ) -> Bool {
    guard namesBytes else { return false }
    let spelled = spelled(character, place)
    guard spelled.allSatisfy({ byteNames[Int($0)] >= 0 }) else { return false }
    for byte in spelled { symbols.append(byteNames[Int(byte)]) }
    return true
  }
}

/// What stands for what is not in a vocabulary.
struct UnknownToken: Sendable {
  /// As the file writes it; nil where there is none.
  let name: String?
  /// Nil where the vocabulary does not have it.
  let knownId: Int32?

  var isNamed: Bool { name != nil }

  /// - Throws: `TokenizerError.noUnknownToken`.
  func id() throws(TokenizerError) -> Int32 {
    if let knownId { return knownId }
    throw .noUnknownToken(
      name.map { "its unknown token '\($0)' is not either" } ?? "it names no unknown token")
  }
}
