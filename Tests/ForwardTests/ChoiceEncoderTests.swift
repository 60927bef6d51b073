import Formats
import Forward
import Model
import Testing

/// How questions become windows. The tokenizer has a token for every letter, and one for "ab".
@Suite struct ChoiceEncoderTests {
  private static let vocabulary = #"{"a": 0, "b": 1, "ab": 2, " ": 3, "c": 4, "!": 5}"#

  private func encoder(
    leading: Bool = false, beginning: Int? = nil, longest: Int = 100
  ) throws -> ChoiceEncoder {
    let processor =
      leading
      ? """
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "!", "type_id": 0}}, \
      {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], \
      "special_tokens": {"!": {"id": "!", "ids": [5], "tokens": ["!"]}}}
      """ : "null"
    let json = """
      {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, \
      "post_processor": \(processor), "decoder": null, \
      "model": {"type": "BPE", "vocab": \(Self.vocabulary), "merges": [["a", "b"]]}}
      """
    return ChoiceEncoder(
      try Tokenizer(parsing: Array(json.utf8), path: "tokenizer.json"), beginning: beginning,
      longest: longest)
  }

  private func windows(
    _ encoder: ChoiceEncoder, _ context: String, _ options: String...
  ) throws -> [ScoredWindow] {
    var encoder = encoder
    let json: JSONValue = [
      "context": .string(context), "options": .array(options.map { .string($0) }), "answer": 0,
    ]
    return try encoder.windows(of: ChoiceQuestion(json: json))
  }

  @Test func theLastTokenIsNotRun() throws {
    #expect(
      try windows(encoder(), "bc", "a", "ca") == [
        ScoredWindow(tokens: [1, 4], targets: [0]),
        ScoredWindow(tokens: [1, 4, 4], targets: [4, 0]),
      ])
  }

  @Test func spacesOfTheContextBelongToTheOption() throws {
    #expect(
      try windows(encoder(), "b ", "a", "ab") == [
        ScoredWindow(tokens: [1, 3], targets: [3, 0]),
        ScoredWindow(tokens: [1, 3], targets: [3, 2]),
      ])
  }

  /// The whole is encoded at once, and as many tokens are taken off as the context has by itself.
  @Test func tokensMayReachAcross() throws {
    #expect(
      try windows(encoder(), "ca", "bb", "c") == [
        ScoredWindow(tokens: [4, 0], targets: [1]), ScoredWindow(tokens: [4, 0], targets: [4]),
      ])
    #expect(throws: ChoiceError.noTokens(option: 1)) { try windows(encoder(), "ca", "c", "b") }
  }

  @Test func contextsWithoutTokens() throws {
    for context in ["", " "] {
      #expect(throws: ChoiceError.noBeginning) { try windows(encoder(), context, "a", "b") }
    }
    #expect(
      try windows(encoder(beginning: 5), "", "a", "cb") == [
        ScoredWindow(tokens: [5], targets: [0]), ScoredWindow(tokens: [5, 4], targets: [4, 1]),
      ])
    // Where the tokenizer puts a token before every text, that one.
    #expect(
      try windows(encoder(leading: true, beginning: 4), "", "a", "b") == [
        ScoredWindow(tokens: [5], targets: [0]), ScoredWindow(tokens: [5], targets: [1]),
      ])
    #expect(
      try windows(encoder(leading: true), "c", "a", "b").map(\.tokens) == [[5, 4], [5, 4]])
  }

  @Test func longContextsKeepTheirEnd() throws {
    #expect(
      try windows(encoder(longest: 3), "cccb", "aa", "b") == [
        ScoredWindow(tokens: [4, 1, 0], targets: [0, 0]),
        ScoredWindow(tokens: [4, 4, 1], targets: [1]),
      ])
    #expect(throws: ChoiceError.tooManyTokens(option: 0, count: 4, longest: 3)) {
      try windows(encoder(longest: 3), "b", "aaaa", "b")
    }
  }
}
