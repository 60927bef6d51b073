import Formats
import Model

/// Encodes texts and prints their ids.
struct TokensRun {
  private let tokenizer: Tokenizer
  private let addSpecialTokens: Bool
  private var cache = PieceCache()

  /// Ids that are written at a time.
  private static let batch = 1 << 16

  init(_ tokenizer: Tokenizer, addSpecialTokens: Bool) {
    self.tokenizer = tokenizer
    self.addSpecialTokens = addSpecialTokens
  }

  /// Prints the ids of one text in one line.
  mutating func writeIds(of text: [UInt8]) throws {
    let ids = try encode(text)
    for start in stride(from: 0, to: ids.count, by: Self.batch) {
      let end = min(start + Self.batch, ids.count)
      try StandardOutput.write(
        ids[start..<end].map(String.init).joined(separator: " ") + (end < ids.count ? " " : ""))
    }
    try StandardOutput.write("\n")
  }

  /// Prints a line of ids for every line of a JSONL file, as soon as it is read.
  ///
  /// - Throws: `JSONLineError` for what is wrong with a line, `FileError`, `OutputError`.
  mutating func writeLines(of path: String) throws {
    try JSONLines.forEach(of: path) { line in
      guard let text = line.json["text"]?.stringValue else { throw line.error("no text 'text'") }
      let ids: [Int32]
      do {
        ids = try encode(Array(text.utf8))
      } catch let fault as TokenizerError {
        throw line.error(fault.message)
      }
      try StandardOutput.write(
        #"{"ids": ["# + ids.map(String.init).joined(separator: ", ") + "]}\n")
    }
  }

  private mutating func encode(_ text: [UInt8]) throws(TokenizerError) -> [Int32] {
    try tokenizer.encode(text.span, addSpecialTokens: addSpecialTokens, cache: &cache)
  }
}
