import Formats
import Foundation
import Testing

@testable import Model

/// What small tokenizers make of texts, and which texts they refuse.
@Suite struct TokenizerTextTests {
  @Test(
    arguments: [
      ([0x61, 0xFF], 1), ([0xC3], 0), ([0x61, 0xED, 0xA0, 0x80], 1), ([0xC0, 0x80], 0),
    ] as [([UInt8], Int)])
  func whatIsNoTextIsRefused(_ bytes: [UInt8], _ offset: Int) throws {
    let tokenizer = try TinyTokenizer().tokenizer()
    var cache = PieceCache()
    #expect(throws: TokenizerError.textNotUTF8(offset: offset)) {
      try tokenizer.encode(bytes.span, cache: &cache)
    }
  }

  /// Merges in the file before the vocabulary that they name.
  @Test func membersMayComeInAnyOrder() throws {
    let model = #"{"merges": ["a b"], "vocab": {"a": 0, "b": 1, "ab": 2}}"#
    #expect(try TinyTokenizer(["model": model]).tokenizer().ids("abba") == [2, 1, 0])
  }

  @Test func ofEqualPiecesTheLastCounts() throws {
    let model = ##"{"vocab": {"a": 0, "b": 1, "a": 5}, "merges": ["#version: 0.2"]}"##
    let tokenizer = try TinyTokenizer(["model": model]).tokenizer()
    #expect(try tokenizer.ids("ab") == [5, 1])
    #expect(tokenizer.vocabularySize == 6)
  }

  @Test func whatHasNoTokenIsAnErrorOrVanishes() throws {
    #expect(try TinyTokenizer().tokenizer().ids("axb") == [2])
    let named = #"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "?"}"#
    let error = #expect(throws: TokenizerError.self) {
      try TinyTokenizer(["model": named]).tokenizer().ids("x")
    }
    #expect(error?.message.contains("its unknown token '?' is not either") == true)
    let unigram = #"{"type": "Unigram", "vocab": [["a", -1]]}"#
    #expect(throws: TokenizerError.noUnknownToken("the model has no unk_id")) {
      try TinyTokenizer(["model": unigram]).tokenizer().ids("x")
    }
  }

  @Test func wordsAreLookedUpWhole() throws {
    let model = #"{"type": "WordLevel", "vocab": {"ab": 0, "?": 1, ".": 2}, "unk_token": "?"}"#
    let tokenizer = try TinyTokenizer([
      "model": model, "pre_tokenizer": #"{"type": "Whitespace"}"#,
    ]).tokenizer()
    #expect(try tokenizer.ids(" ab..  a ab.") == [0, 1, 1, 0, 2])
  }

  @Test func aDelimiterSplits() throws {
    let tokenizer = try TinyTokenizer([
      "pre_tokenizer": #"{"type": "CharDelimiterSplit", "delimiter": "▁"}"#
    ]).tokenizer()
    #expect(try tokenizer.ids("a▁bab") == [0, 1, 2])
  }

  private static let doubling =
    #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaaaaaaaa"}"#
  private static let mapping =
    #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}"#

  private static func repeated(_ component: String, _ count: Int, in list: String) -> String {
    let parts = Array(repeating: component, count: count).joined(separator: ",")
    return #"{"type": "Sequence", "\#(list)": [\#(parts)]}"#
  }

  /// Steps that would make gigabytes of a few bytes.
  @Test(
    arguments: [
      ["normalizer": repeated(doubling, 9, in: "normalizers")],
      ["pre_tokenizer": repeated(mapping, 30, in: "pretokenizers")],
    ])
  func aTextThatGrowsIsStopped(_ members: [String: String]) throws {
    let tokenizer = try TinyTokenizer(members).tokenizer()
    let error = #expect(throws: TokenizerError.self) { try tokenizer.ids("a日") }
    guard case .textGrows = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// A replacement outside of the table, and one in the middle of a character.
  @Test(arguments: [UInt32(9), 1])
  func aReplacementThatIsNotThereIsAnError(_ offset: UInt32) throws {
    // The units of a table with one key, "a": the node of its byte, and the value behind it.
    var units = [UInt32](repeating: 0, count: 256)
    units[0] = 0
    units[0x61] = 0x61 | 1 << 8 | 1 << 10
    units[0x60] = offset | 0x8000_0000
    var bytes: [UInt8] = []
    for word in [UInt32(units.count * 4)] + units {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    bytes += Array("é".utf8) + [0]
    let tokenizer = try TinyTokenizer([
      "normalizer":
        #"{"type": "Precompiled", "precompiled_charsmap": "\#(base64(bytes))"}"#
    ]).tokenizer()
    #expect(throws: TokenizerError.badCharsmap(offset: Int(offset))) { try tokenizer.ids("a") }
    #expect(try tokenizer.ids("b") == [1])
  }

  /// Marks in their order, compositions that are excluded, characters newer than the tables.
  @Test(
    arguments: [
      ("\u{F5D}\u{F7D}\u{F73}", "\u{F5D}\u{F71}\u{F7D}\u{F72}"), ("e\u{323}\u{302}", "\u{1EC7}"),
      ("e\u{302}\u{323}x\u{301}", "\u{1EC7}x\u{301}"), ("\u{212B}", "\u{C5}"),
      ("\u{958}", "\u{915}\u{93C}"),
      ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("\u{AC00}\u{11A8}", "\u{AC01}"),
      ("\u{F006D}\u{301}", "\u{F006D}\u{301}"), ("\u{1D15E}", "\u{1D157}\u{1D165}"),
      ("\u{1100}\u{1176}", "\u{1100}\u{1176}"), ("\u{1113}\u{1161}", "\u{1113}\u{1161}"),
      ("\u{AC00}\u{11C2}", "\u{AC1B}"), ("\u{AC00}\u{11A7}\u{11A8}", "\u{AC00}\u{11A7}\u{11A8}"),
      ("\u{D7A3}\u{11A8}\u{1100}\u{1161}", "\u{D7A3}\u{11A8}\u{AC00}"),

      ("\u{11935}\u{11930}", "\u{11935}\u{11930}"),
    ])
  func textIsComposed(_ text: String, _ composed: String) {
    let bytes = Array(text.utf8)
    let changed = NormalForm.nfc.changed(bytes.span) ?? bytes
    #expect(changed == Array(composed.utf8))
  }

  @Test func anUnknownIdHasNoText() throws {
    #expect(throws: TokenizerError.unknownId(4)) {
      try TinyTokenizer().tokenizer().decode([0, 4])
    }
  }
}

private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
