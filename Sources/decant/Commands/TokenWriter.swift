import Forward
import Model

/// Prints tokens as they are made: as text, or as ids with spaces between them.
struct TokenWriter {
  private var stream: TextStream
  private let idsOnly: Bool
  private var isFirst = true

  /// - Throws: `TokenizerError`.
  init(_ tokenizer: Tokenizer, after prompt: [Int], idsOnly: Bool) throws {
    stream = try TextStream(tokenizer, after: prompt)
    self.idsOnly = idsOnly
  }

  /// - Throws: `TokenizerError`, `OutputError`.
  mutating func write(_ token: Int) throws {
    defer { isFirst = false }
    let text = idsOnly ? (isFirst ? "" : " ") + "\(token)" : try stream.append(token)
    if !text.isEmpty { try StandardOutput.write(text) }
  }

  /// Prints what was held back, and ends the line.
  ///
  /// - Throws: `TokenizerError`, `OutputError`.
  mutating func finish() throws {
    try StandardOutput.write((idsOnly ? "" : try stream.finish()) + "\n")
  }
}
