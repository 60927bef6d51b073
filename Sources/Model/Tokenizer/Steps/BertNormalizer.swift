/// What BERT does to a text: cleans it, puts spaces around ideographs, takes accents off, lower case.
struct BertNormalizer: Sendable {
  let cleansText: Bool
  let spacesIdeographs: Bool
  let stripsAccents: Bool
  let lowercases: Bool

  init(_ reader: ComponentReader) throws(TokenizerError) {
    cleansText = try reader.bool("clean_text")
    spacesIdeographs = try reader.bool("handle_chinese_chars")
    lowercases = try reader.bool("lowercase")
    stripsAccents = try reader.bool("strip_accents", default: lowercases)
  }

  func changed(_ text: Span<UInt8>) -> [UInt8] {
    // Both look at one scalar at a time, and neither makes what the other would change.
    let cleaned = Normalizer.mapping(text) { scalar, result in
      if cleansText {
        if ScalarSet.bertRemoved.contains(scalar) { return false }
        if ScalarSet.whiteSpace.contains(scalar) {
          result.append(0x20)
          return false
        }
      }
      guard spacesIdeographs, Self.isIdeograph(scalar) else { return true }
      result.append(0x20)
      result.append(scalar: scalar)
      result.append(0x20)
      return false
    }
    var stripped = cleaned
    if stripsAccents {
      let decomposed = NormalForm.nfd.changed(cleaned.span) ?? cleaned
      stripped = Normalizer.mapping(decomposed.span) { scalar, _ in
        !ScalarSet.bertMark.contains(scalar)
      }
    }
    return lowercases ? Normalizer.lowercased(stripped.span) : stripped
  }

  /// Source: google-research/bert, `tokenization.py`, `_is_chinese_char`, and `tokenizers`, which begins
  /// one block later than that does.
  private static func isIdeograph(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x2_0000...0x2_A6DF, 0x2_A700...0x2_B73F,
      0x2_B740...0x2_B81F, 0x2_B920...0x2_CEAF, 0xF900...0xFAFF, 0x2_F800...0x2_FA1F:
      true
    default: false
    }
  }
}
