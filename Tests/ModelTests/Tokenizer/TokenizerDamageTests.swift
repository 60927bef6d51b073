import Formats
import Foundation
import TestSupport
import Testing

@testable import Model

/// A `tokenizer.json` that is refused, and what is said of it.
struct TokenizerDamage: Sendable, CustomTestStringConvertible {
  let member: String
  let json: String
  let message: String

  var testDescription: String { "\(member): \(json.prefix(80))" }

  init(_ member: String, _ json: String, _ message: String) {
    self.member = member
    self.json = json
    self.message = message
  }
}

@Suite struct TokenizerDamageTests {
  private static let split =
    #"{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": "#
  private static func template(_ single: String) -> String {
    #"{"type": "TemplateProcessing", "special_tokens": {}, "single": [\#(single)]}"#
  }
  private static let deep = String(repeating: #"{"type": "Sequence", "normalizers": ["#, count: 500)
  private static let charsmap = Data([8, 0, 0, 0, 1, 2, 3, 4]).base64EncodedString()
  private static let noText = Data([4, 0, 0, 0, 1, 2, 3, 4, 0xFF, 0]).base64EncodedString()

  private static func bpe(_ vocabulary: String, _ rest: String) -> String {
    #"{"type": "BPE", "vocab": \#(vocabulary), \#(rest)}"#
  }

  static let damages: [TokenizerDamage] = [
    .init("version", #""2.0""#, #"version: "2.0" is not supported"#),
    .init("extra", "1", "extra: this member is not supported"),
    .init("model", "null", "expected an object, found 'n'"),
    .init("model", #"{"type": "BPE"}"#, "model: no 'vocab'"),
    .init("model", #"{"type": "CRF", "vocab": {}}"#, "model: the type 'CRF' is not supported"),
    .init("model", bpe(#"{"a": 0}"#, #""x": 0"#), "model: no 'merges'"),
    .init("model", bpe(#"[["a", 0]]"#, #""merges": []"#), "not of the kind that BPE has"),
    .init("model", bpe(#"{"a": -1}"#, #""merges": []"#), "model.vocab: '-1' is no id"),
    .init("model", bpe(#"{"a": 2147483648}"#, #""merges": []"#), "'2147483648' is no id"),
    .init("model", bpe(#"{"a": 1e3}"#, #""merges": []"#), "'1e3' is no id"),
    .init("model", bpe(#"{"a": 0}"#, #""merges": ["a b"]"#), "merges[0]: 'b' is not in"),
    .init("model", bpe(#"{"a": 0}"#, #""merges": ["a a"]"#), "merges[0]: 'aa' is not in"),
    .init("model", bpe(#"{"a": 0}"#, #""merges": ["a  a"]"#), "merges[0]: not two pieces"),
    .init("model", bpe(#"{"a": 0}"#, #""merges": [["a"]]"#), "merges[0]: not two pieces"),
    .init(
      "model", bpe(#"{"a": 0, "aa": 1}"#, #""merges": ["a a", ["a", "a"]]"#),
      "merges[1]: pairs and texts are mixed"),
    .init("model", bpe(#"{"a": 0}"#, #""merges": [], "dropout": 0.1"#), "dropout, which"),
    .init(
      "model", bpe("{}", #""merges": [], "end_of_word_suffix": "01234567890123456""#),
      "a prefix or suffix of more than 16 bytes"),
    .init("model", #"{"type": "Unigram", "vocab": []}"#, "model: the vocabulary is empty"),
    .init("model", #"{"type": "Unigram", "vocab": [["a"]]}"#, "model.vocab[1]: not a piece and"),
    .init("model", #"{"type": "Unigram", "vocab": [["a", 1e999]]}"#, "not a piece and its score"),
    .init(
      "model", #"{"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1}"#, "unk_id 1 is beyond"),
    .init("model", #"{"type": "WordPiece", "vocab": {}}"#, "no text 'continuing_subword_prefix'"),
    .init("normalizer", #"{"type": "Magic"}"#, "normalizer: the type 'Magic' is not supported"),
    .init("normalizer", deep, "nested deeper than 127 levels"),
    .init("normalizer", #"{"type": "Strip", "strip_left": true}"#, "no 'strip_right'"),
    .init(
      "normalizer", #"{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "X"}]}"#,
      "normalizer.normalizers[1]: the type 'X' is not supported"),
    .init(
      "normalizer", #"{"type": "Precompiled", "precompiled_charsmap": "!"}"#, "is not base64"),
    .init(
      "normalizer", #"{"type": "Precompiled", "precompiled_charsmap": "AAA="}"#, "ends early"),
    .init(
      "normalizer", #"{"type": "Precompiled", "precompiled_charsmap": "\#(charsmap)"}"#,
      "says that it has 8 bytes of units, and has 4 bytes"),
    .init(
      "normalizer", #"{"type": "Precompiled", "precompiled_charsmap": "\#(noText)"}"#,
      "has replacements that are no text"),
    .init("pre_tokenizer", #"{"type": "FixedLength"}"#, "the type 'FixedLength' is not supported"),
    .init(
      "pre_tokenizer", split + #"{"Regex": "\\bx"}}"#,
      #"pre_tokenizer.pattern: the regular expression '\bx' (at character 2: '\b' is not supported)"#
    ),
    .init("pre_tokenizer", split + #"{"Glob": "x"}}"#, "a pattern 'Glob' is not supported"),
    .init("pre_tokenizer", split + "7}", "pre_tokenizer.pattern: not an object"),
    .init(
      "pre_tokenizer",
      #"{"type": "Split", "behavior": "Odd", "invert": false, "pattern": {"String": ""}}"#,
      "the behavior 'Odd' is not supported"),
    .init(
      "pre_tokenizer", #"{"type": "Metaspace", "replacement": "__"}"#,
      "'replacement' is no character"),
    .init(
      "pre_tokenizer", #"{"type": "Metaspace", "replacement": "_", "add_prefix_space": false}"#,
      "add_prefix_space is false and prepend_scheme 'always'"),
    .init(
      "pre_tokenizer",
      #"{"type": "Sequence", "pretokenizers": ["#
        + Array(repeating: #"{"type": "WhitespaceSplit"}"#, count: 65).joined(separator: ",")
        + "]}",
      "a sequence of more than 64 steps is not supported"),
    .init("post_processor", #"{"type": "BertProcessing", "sep": 1}"#, "no list 'cls'"),
    .init(
      "post_processor", #"{"type": "RobertaProcessing", "cls": ["a", -1], "sep": ["b", 0]}"#,
      "'-1' is no id"),
    .init(
      "post_processor", template(#"{"SpecialToken": {"id": "x"}}"#),
      "no 'x', which the template names"),
    .init(
      "post_processor", template(""), "a template without the text is not supported"),
    .init(
      "post_processor", template(#"{"Sequence": {"id": "B"}}"#),
      "a template with more than the text itself, once, is not supported"),
    .init("decoder", #"{"type": "CTC"}"#, "decoder: the type 'CTC' is not supported"),
    .init("added_tokens", "{}", "added_tokens: not a list"),
    .init("added_tokens", #"[{"content": "x"}]"#, "added_tokens[0]: no 'special'"),
    .init(
      "added_tokens", #"[{"content": "\#(String(repeating: "x", count: 5000))"}]"#,
      "a content of more than 4096 bytes is not supported"),
  ]

  @Test(arguments: damages)
  func isRefused(_ damage: TokenizerDamage) {
    let error = #expect(throws: TokenizerError.self) {
      try TinyTokenizer([damage.member: damage.json]).tokenizer()
    }
    let message = error?.message ?? ""
    #expect(message.hasPrefix("t.json: ") && message.contains(damage.message), "\(message)")
  }

  @Test func aMarkBehindAStripIsRefused() {
    let tiny = TinyTokenizer([
      "normalizer": #"{"type": "Strip", "strip_left": true, "strip_right": false}"#,
      "pre_tokenizer": #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}"#,
    ])
    let error = #expect(throws: TokenizerError.self) { try tiny.tokenizer() }
    #expect(error?.message.contains("a mark before the first piece") == true)
  }

  /// Cut at every length, a file is refused and nothing worse.
  @Test func whatIsCutShortIsRefused() throws {
    let bytes = TinyTokenizer(["normalizer": #"{"type": "Prepend", "prepend": "\u2581"}"#]).bytes
    #expect(throws: Never.self) { try Tokenizer(parsing: bytes, path: "t.json") }
    for count in 0..<bytes.count {
      #expect(throws: TokenizerError.self) {
        try Tokenizer(parsing: Array(bytes[..<count]), path: "t.json")
      }
    }
  }

  @Test func aFolderWithoutTheFileSaysWhatItHas() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TokenizerError.missing(directory: folder.path, found: [])) {
      try Tokenizer(path: folder.path)
    }
    try folder.write("vocab.json", "{}")
    try folder.write("merges.txt", "")
    let error = TokenizerError.missing(
      directory: folder.path, found: ["vocab.json", "merges.txt"])
    #expect(throws: error) { try Tokenizer(path: folder.path) }
    #expect(
      error.message
        == "\(folder.path) has no tokenizer.json, and vocab.json, merges.txt are not supported")
  }
}
