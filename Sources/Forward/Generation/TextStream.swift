import Model

/// The text of tokens as they come. What is not yet whole is held back: a character may take several tokens,
/// and decoders write U+FFFD for the bytes of one that lacks some.
package struct TextStream {
  private let tokenizer: Tokenizer
  private var ids: [Int32]
  /// What was given out, with the text of the prompt before it.
  private var shown: [UInt8]

  private static let replacement = Array("\u{FFFD}".utf8)

  /// - Parameter prompt: tokens of which the text is not given out. What a token is written as may depend
  ///   on those before it.
  /// - Throws: `TokenizerError`.
  package init(_ tokenizer: Tokenizer, after prompt: [Int]) throws(TokenizerError) {
    self.tokenizer = tokenizer
    ids = prompt.map { Int32($0) }
    shown = try tokenizer.decode(ids, skippingSpecialTokens: true)
  }

  /// The text that a token makes whole; empty where there is none.
  ///
  /// - Throws: `TokenizerError`.
  package mutating func append(_ token: Int) throws(TokenizerError) -> String {
    ids.append(Int32(token))
    var text = try tokenizer.decode(ids, skippingSpecialTokens: true)
    while text.suffix(Self.replacement.count).elementsEqual(Self.replacement) {
      text.removeLast(Self.replacement.count)
    }
    return show(text)
  }

  /// What was held back to the end.
  ///
  /// - Throws: `TokenizerError`.
  package mutating func finish() throws(TokenizerError) -> String {
    show(try tokenizer.decode(ids, skippingSpecialTokens: true))
  }

  private mutating func show(_ text: [UInt8]) -> String {
    // Bytes that break a character can take whole ones before them along until they are complete.
    guard text.count > shown.count, text.starts(with: shown) else { return "" }
    defer { shown = text }
    return String(decoding: text[shown.count...], as: UTF8.self)
  }
}
