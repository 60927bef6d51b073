import Foundation

/// The normalization forms of Unicode, with the characters that `tokenizers` knows: those whose
/// decomposition or combining class is newer than Unicode 9 stay as they are, and nothing moves past them.
///
/// Only single characters are decomposed by Foundation. Of whole texts, it composes what is no letter of Hangul
/// and private characters, and leaves some marks out of order (Swift 6.3).
///
/// Source: Unicode Standard Annex 15; The Unicode Standard, section 3.12 for Hangul.
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
  /// before it.
  private func isPlain(_ scalar: UInt32) -> Bool {
    scalar < 0x80 || self == .nfc && !ScalarSet.compositionSensitive.contains(scalar)
  }

  /// A scalar, and the class that orders it among marks: 0 for one that begins something new.
  private struct Part {
    var scalar: UInt32
    let combiningClass: UInt8
  }

  private func append(_ text: Span<UInt8>, to result: inout [UInt8]) {
    var parts: [Part] = []
    var offset = 0
    while offset < text.count {
      let scalar = text.scalar(at: offset)
      appendDecomposed(scalar.value, to: &parts)
      offset += scalar.byteCount
    }
    Self.order(&parts)
    if self == .nfc || self == .nfkc { parts = Self.composed(parts) }
    for part in parts { result.append(scalar: part.scalar) }
  }

  private func appendDecomposed(_ scalar: UInt32, to parts: inout [Part]) {
    guard scalar >= 0x80, ScalarSet.normalizationKnown.contains(scalar),
      let known = Unicode.Scalar(scalar)
    else {
      parts.append(Part(scalar: scalar, combiningClass: 0))
      return
    }
    let string = String(known)
    let isCompatible = self == .nfkc || self == .nfkd
    let decomposed =
      isCompatible
      ? string.decomposedStringWithCompatibilityMapping
      : string.decomposedStringWithCanonicalMapping
    for scalar in decomposed.unicodeScalars {
      parts.append(
        Part(
          scalar: scalar.value,
          combiningClass: scalar.properties.canonicalCombiningClass.rawValue))
    }
  }

  /// Puts marks in the order of their classes, equal ones as they came.
  private static func order(_ parts: inout [Part]) {
    var start = 0
    while start < parts.count {
      var end = start
      while end < parts.count, parts[end].combiningClass > 0 { end += 1 }
      if end > start + 1 {
        let marks = parts[start..<end].enumerated().sorted {
          ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
        }
        parts.replaceSubrange(start..<end, with: marks.map(\.element))
      }
      start = end + 1
    }
  }

  private static func composed(_ parts: [Part]) -> [Part] {
    var result: [Part] = []
    // The last scalar of class 0, which takes what follows it unless something stands between.
    var starter: Int?
    for part in parts {
      if let starter, let last = result.last,
        starter == result.count - 1 || last.combiningClass < part.combiningClass,
        let composite = composite(result[starter].scalar, part.scalar)
      {
        result[starter].scalar = composite
        continue
      }
      if part.combiningClass == 0 { starter = result.count }
      result.append(part)
    }
    return result
  }

  private static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    // Letters of Hangul: 19 leading ones, 21 vowels, 27 trailing ones.
    let (leading, vowel, trailing, syllable): (UInt32, UInt32, UInt32, UInt32) =
      (0x1100, 0x1161, 0x11A7, 0xAC00)
    if (leading..<leading + 19).contains(first), (vowel..<vowel + 21).contains(second) {
      return syllable + ((first - leading) * 21 + second - vowel) * 28
    }
    if (syllable..<syllable + 19 * 21 * 28).contains(first), (first - syllable) % 28 == 0,
      (trailing + 1..<trailing + 28).contains(second)
    {
      return first + second - trailing
    }
    return UnicodeTables.compositions[UInt64(first) << 32 | UInt64(second)]
      .map { UInt32(truncatingIfNeeded: $0) }
  }
}
