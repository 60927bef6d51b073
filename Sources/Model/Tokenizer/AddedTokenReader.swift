import Formats

/// Reads `added_tokens`, and gives each an id: that of its content in the model's vocabulary, else the next
/// that is free. What the file says of ids is not used, as in the library.
struct AddedTokenReader {
  let model: TokenModel
  let normalizer: Normalizer?

  struct Result {
    var raw = AddedTokens()
    var normalized = AddedTokens()
    var contents: [Int32: Tokenizer.AddedContent] = [:]
  }

  /// Longest content, in bytes: a search goes over it at every place of a text.
  private static let longestContent = 4096

  func read(_ json: JSONValue, path: String) throws(TokenizerError) -> Result {
    var result = Result()
    guard json != .null else { return result }
    guard let list = json.arrayValue else {
      throw .malformed(path: path, component: "added_tokens", reason: "not a list")
    }
    var ids: [[UInt8]: Int32] = [:]
    var next = Int32(clamping: model.size)
    for (index, value) in list.enumerated() {
      let reader = try ComponentReader(value, path: path, name: "added_tokens[\(index)]")
      let content = try reader.bytes("content")
      guard content.count <= Self.longestContent else {
        throw reader.unsupported("a content of more than \(Self.longestContent) bytes")
      }
      let isSpecial = try reader.bool("special")
      let isNormalized = try reader.bool("normalized")
      if content.isEmpty { continue }
      var id = model.vocabulary.id(of: content) ?? ids[content]
      if id == nil {
        guard next < .max else { throw reader.malformed("no id is left") }
        id = next
        next += 1
      }
      guard let id else { continue }
      ids[content] = id
      let token = AddedTokens.Token(
        id: id, isSingleWord: try reader.bool("single_word"),
        stripsLeft: try reader.bool("lstrip"), stripsRight: try reader.bool("rstrip"))
      // The library writes a token as it looks for it, and knows special ones by their own content.
      let written = isNormalized ? try normalized(content) : content
      result.contents[id] = Tokenizer.AddedContent(
        bytes: written, isSpecial: isSpecial && written == content)
      if isNormalized {
        result.normalized.add(written, token)
      } else {
        result.raw.add(written, token)
      }
    }
    return result
  }

  private func normalized(_ content: [UInt8]) throws(TokenizerError) -> [UInt8] {
    var state = EncodingState(byteCount: content.count)
    return try normalizer?.changed(content.span, &state) ?? content
  }
}
