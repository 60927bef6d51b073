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
  /// - Throws: `TokensLineError` for what is wrong with a line, `FileError`, `OutputError`.
  mutating func writeLines(of path: String) throws {
    let file = try InputFile(path: path)
    var line: [UInt8] = []
    var number = 0
    try file.forEachBlock(of: 0..<file.byteCount) { bytes, count in
      var rest = bytes[..<count]
      while let end = rest.firstIndex(of: 0x0A) {
        line += rest[..<end]
        rest = rest[(end + 1)...]
        number += 1
        try writeLine(line, path: path, number: number)
        line.removeAll(keepingCapacity: true)
      }
      line += rest
      guard line.count <= Tokenizer.longestText else {
        throw TokensLineError(path: path, line: number + 1, reason: "the line is too long")
      }
    }
    if !line.isEmpty { try writeLine(line, path: path, number: number + 1) }
    try file.checkUnchanged()
  }

  private mutating func writeLine(_ line: [UInt8], path: String, number: Int) throws {
    func error(_ reason: String) -> TokensLineError {
      TokensLineError(path: path, line: number, reason: reason)
    }
    let text: String
    do {
      guard let found = try JSONValue(parsing: line)["text"]?.stringValue else {
        throw error("no text 'text'")
      }
      text = found
    } catch let fault as JSONError {
      throw error("\(fault.reason) (byte \(fault.offset) of the line)")
    }
    let ids: [Int32]
    do {
      ids = try encode(Array(text.utf8))
    } catch let fault {
      throw error(fault.message)
    }
    try StandardOutput.write(
      #"{"ids": ["# + ids.map(String.init).joined(separator: ", ") + "]}\n")
  }

  private mutating func encode(_ text: [UInt8]) throws(TokenizerError) -> [Int32] {
    try tokenizer.encode(text.span, addSpecialTokens: addSpecialTokens, cache: &cache)
  }
}

/// What is wrong with a line of a JSONL file. Lines count from 1.
struct TokensLineError: DescribedError, Equatable {
  let path: String
  let line: Int
  let reason: String

  var message: String { "\(path), line \(line): \(reason)" }
  var hint: String? { nil }
}
