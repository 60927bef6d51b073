/// The characters that stand for bytes in byte-level vocabularies: printable Latin-1 for itself, the
/// other 68 bytes, in rising order, as U+0100 and what follows.
///
/// Source: openai/gpt-2, `src/encoder.py`, `bytes_to_unicode`.
enum ByteAlphabet {
  /// The character of each byte.
  static let characters: [UInt32] = {
    var next: UInt32 = 0x100
    return (UInt32(0)...255).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// The byte of each character, by its number; nil for the numbers that stand for none.
  static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: Int(characters.max() ?? 0) + 1)
    for (byte, character) in characters.enumerated() { bytes[Int(character)] = UInt8(byte) }
    return bytes
  }()

  /// Appends the characters of `text`'s bytes.
  static func append(_ text: Span<UInt8>, to result: inout [UInt8]) {
    let characters = characters
    for i in text.indices { result.append(scalar: characters[Int(text[i])]) }
  }

  /// The bytes that `piece` stands for; nil where a character of it stands for none.
  static func decode(_ piece: Span<UInt8>) -> [UInt8]? {
    let bytes = bytes
    var result: [UInt8] = []
    var offset = 0
    while offset < piece.count {
      let scalar = piece.scalar(at: offset)
      guard Int(scalar.value) < bytes.count, let byte = bytes[Int(scalar.value)] else { return nil }
      result.append(byte)
      offset += scalar.byteCount
    }
    return result
  }
}
