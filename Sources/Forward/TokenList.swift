import Formats

/// Tokens in a text file: whole numbers with white space between them.
package enum TokenList {
  private static let sizeLimit = 1 << 30

  /// - Parameter limit: tokens after these are not read; nil for all.
  /// - Throws: `ForwardError.badToken`; `FileError`.
  package static func read(_ path: String, limit: Int? = nil) throws -> [Int] {
    let bytes = try InputFile(path: path).readAll(limit: sizeLimit)
    var tokens: [Int] = []
    var line = 1
    var index = 0
    while index < bytes.count, limit.map({ tokens.count < $0 }) ?? true {
      if isSpace(bytes[index]) {
        if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, !isSpace(bytes[index]) { index += 1 }
      let text = String(decoding: bytes[start..<min(index, start + 40)], as: UTF8.self)
      guard let token = Int(text), token >= 0 else {
        throw ForwardError.badToken(text, line: line, path: path)
      }
      tokens.append(token)
    }
    return tokens
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
  }
}
