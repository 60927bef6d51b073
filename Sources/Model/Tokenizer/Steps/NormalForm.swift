import Foundation

/// The normalization forms of Unicode, with the characters that `tokenizers` knows: those whose
/// decomposition or combining class is newer than Unicode 9 stay as they are, and nothing moves past them.
enum NormalForm: Sendable {
  case nfc, nfd, nfkc, nfkd

  /// The text in this form; nil where it is known to have it already.
  func changed(_ text: Span<UInt8>) -> [UInt8]? {
    guard let first = firstSensitive(text, from: 0) else { return nil }
    var result: [UInt8] = []
    var (start, sensitive) = (0, first)
    while true {
      // Nothing crosses the beginning of a plain scalar: the last one before is where it starts.
      let begin = sensitive > start ? text.scalarStart(before: sensitive) : sensitive
      var end = text.scalarEnd(at: sensitive)
      while end < text.count, !isPlain(text.scalar(at: end).value) { end = text.scalarEnd(at: end) }
      result.append(text.extracting(start..<begin))
      append(text.extracting(begin..<end), to: &result)
      start = end
      guard let next = firstSensitive(text, from: end) else { break }
      sensitive = next
    }
    result.append(text.extracting(start..<text.count))
    return result
  }

  private func firstSensitive(_ text: Span<UInt8>, from offset: Int) -> Int? {
    var offset = offset
    while offset < text.count {
      let scalar = text.scalar(at: offset)
      if !isPlain(scalar.value) { return offset }
      offset += scalar.byteCount
    }
    return nil
  }

  /// Whether a scalar is sure to stay as it is, unless by what follows it, and to leave alone what comes
  /// before it. Many more are than it says.
  private func isPlain(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 { return true }
    guard self == .nfc else { return false }
    return switch scalar {
    // Latin, Cyrillic, kana, ideographs, syllables of Hangul.
    case 0x80..<0x300, 0x400...0x482, 0x48A...0x52F, 0x3041...0x3096, 0x30A1...0x30FA,
      0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3:
      true
    default: false
    }
  }

  /// Appends `text` in this form, known characters apart from the others.
  private func append(_ text: Span<UInt8>, to result: inout [UInt8]) {
    let known = ScalarSet.normalizationKnown
    var (start, offset) = (0, 0)
    while offset < text.count {
      let scalar = text.scalar(at: offset)
      let next = offset + scalar.byteCount
      if !known.contains(scalar.value) {
        appendKnown(text.extracting(start..<offset), to: &result)
        result.append(text.extracting(offset..<next))
        start = next
      }
      offset = next
    }
    appendKnown(text.extracting(start..<offset), to: &result)
  }

  private func appendKnown(_ text: Span<UInt8>, to result: inout [UInt8]) {
    if text.isEmpty { return }
    var bytes: [UInt8] = []
    bytes.append(text)
    let string = String(decoding: bytes, as: UTF8.self)
    let mapped =
      switch self {
      case .nfc: string.precomposedStringWithCanonicalMapping
      case .nfd: string.decomposedStringWithCanonicalMapping
      case .nfkc: string.precomposedStringWithCompatibilityMapping
      case .nfkd: string.decomposedStringWithCompatibilityMapping
      }
    result.append(contentsOf: mapped.utf8)
  }
}
