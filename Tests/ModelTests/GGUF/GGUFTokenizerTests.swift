import Formats
import TestSupport
import Testing

@testable import Model

/// Keys of tokenizers, against vocabularies that llama.cpp gives the library's ids with.
@Suite struct GGUFTokenizerTests {
  private func json(_ path: String) throws -> JSONValue {
    try JSONValue(parsing: contents(of: path))
  }

  /// - Parameter change: of the `tokenizer.json`.
  private func tokenizer(
    _ name: String, rows: Int? = nil, template: JSONValue? = nil,
    settings: JSONValue? = nil, config: JSONValue = [:],
    _ change: (inout JSONValue) -> Void = { _ in }
  ) throws -> GGUFTokenizer {
    let folder = SharedFixture.path("gguf/" + name)
    var tokenizer = try json(folder + "/tokenizer.json")
    change(&tokenizer)
    let own = try json(folder + "/tokenizer_config.json")
    return try GGUFTokenizer(
      tokenizer, settings: settings ?? own, config: config, template: template,
      rows: rows ?? own["model_rows"]?.intValue ?? 0)
  }

  private func value(_ name: String, _ tokenizer: GGUFTokenizer) -> GGUFValue? {
    tokenizer.keys.first { $0.key == "tokenizer." + name }?.value
  }

  @Test(arguments: ["bpe", "spm"]) func keysAreThoseOfTheVocabulary(name: String) throws {
    let found = try tokenizer(name)
    let expected = try GGUFFile(path: SharedFixture.path("gguf/\(name)/expected.gguf")).header
      .metadata
      .filter { $0.key.hasPrefix("tokenizer.") }
    #expect(Set(found.keys.map(\.key)) == Set(expected.map(\.key)))
    for (key, value) in expected {
      #expect(found.keys.first { $0.key == key }?.value == value, "\(key)")
    }
  }

  @Test func rowsWithoutTokensAreFilled() throws {
    let full = try tokenizer("spm")
    let rows = try #require(
      try json(SharedFixture.path("gguf/spm/tokenizer_config.json"))["model_rows"]?.intValue)
    let more = try tokenizer("spm", rows: rows + 2)
    guard case .array(.string(let texts)) = value("ggml.tokens", more),
      case .array(.int32(let kinds)) = value("ggml.token_type", more),
      case .array(.float32(let scores)) = value("ggml.scores", more)
    else { throw GGUFModelError.tokenizer("no lists") }
    #expect(texts.suffix(2) == ["[PAD\(rows)]", "[PAD\(rows + 1)]"])
    #expect(kinds.suffix(2) == [5, 5] && scores.suffix(2) == [-10_000, -10_000])
    #expect(value("ggml.bos_token_id", more) == value("ggml.bos_token_id", full))
    #expect(throws: GGUFModelError.self) { try tokenizer("spm", rows: 100) }
  }

  /// A mark behind a space is one character with it, and none behind another text.
  @Test func textsAreToldApartByTheirBytes() throws {
    let marked: JSONValue = [
      "type": "BPE", "byte_fallback": true, "vocab": ["n": 0, "\u{0940}": 1, "n\u{0940}": 2],
      "merges": ["n \u{0940}"],
    ]
    let found = try tokenizer("spm", rows: 3) {
      $0["model"] = marked
      $0["added_tokens"] = []
    }
    #expect(value("ggml.scores", found) == .array(.float32([0, 0, -0.0])))
    #expect(
      value("ggml.tokens", found) == .array(.string(["n", "\u{0940}", "n\u{0940}"])))
  }

  /// llama.cpp has no name for these words that takes those of the vocabulary whole.
  @Test func wordsThatNoMergeMakesAreRefusedWhereTheyAreTakenWhole() throws {
    func words(_ merges: [JSONValue]) throws -> GGUFTokenizer {
      try tokenizer("bpe", rows: 3, settings: [:]) {
        $0["model"] = [
          "type": "BPE", "ignore_merges": true, "vocab": ["a": 0, "b": 1, "ab": 2],
          "merges": .array(merges),
        ]
        $0["pre_tokenizer"] = ["type": "ByteLevel", "add_prefix_space": false]
        $0["added_tokens"] = []
      }
    }
    #expect(value("ggml.pre", try words(["a b"])) == .string("gpt-2"))
    #expect(throws: GGUFModelError.self) { try words(["b a"]) }
  }

  @Test func templatesGoAlong() throws {
    #expect(value("chat_template", try tokenizer("bpe")) == nil)
    #expect(value("chat_template", try tokenizer("bpe", template: "{{ x }}")) == .string("{{ x }}"))
    let several = try tokenizer(
      "bpe",
      settings: [
        "chat_template": [
          ["name": "default", "template": "a"], ["name": "tool_use", "template": "b"],
        ]
      ])
    #expect(value("chat_template", several) == .string("a"))
    #expect(value("chat_template.tool_use", several) == .string("b"))
    #expect(value("chat_templates", several) == .array(.string(["tool_use"])))
  }

  @Test func idsAreThoseOfTheSettingsElseOfTheConfiguration() throws {
    let none = try tokenizer("bpe", settings: [:])
    #expect(value("ggml.bos_token_id", none) == nil)
    #expect(value("ggml.add_bos_token", none) == .bool(false))
    let listed = try tokenizer(
      "bpe", settings: [:], config: ["eos_token_id": [7, 8], "bos_token_id": 600_000])
    #expect(value("ggml.eos_token_id", listed) == .uint32(7))
    #expect(value("ggml.bos_token_id", listed) == nil)
  }

  @Test func aTemplateSaysWhatIsPutAroundATextWhateverSettingsSay() throws {
    let template: JSONValue = [
      "type": "TemplateProcessing",
      "single": [
        ["SpecialToken": ["id": "<|endoftext|>", "type_id": 0]],
        ["Sequence": ["id": "A", "type_id": 0]],
      ],
    ]
    let found = try tokenizer("bpe") { $0["post_processor"] = template }
    #expect(value("ggml.add_bos_token", found) == .bool(true))
    #expect(value("ggml.add_eos_token", found) == .bool(false))
  }

  @Test(
    arguments: [
      ("normalizer", ["type": "Lowercase"]),
      (
        "pre_tokenizer",
        ["type": "Sequence", "pretokenizers": [["type": "Whitespace"], ["type": "ByteLevel"]]]
      ),
      ("pre_tokenizer", ["type": "ByteLevel", "add_prefix_space": true]),
      ("pre_tokenizer", .null),
      ("model", ["type": "Unigram", "vocab": []]),
      ("model", ["type": "BPE", "vocab": ["a": 0], "merges": []]),
      ("model", ["type": "BPE", "vocab": ["a": 0], "merges": ["ab"]]),
      // A second token of the same text.
      ("added_tokens", [["id": 511, "content": "!", "special": true]]),
    ] as [(String, JSONValue)])
  func whatLlamaCppDoesOtherwiseIsRefused(member: String, json: JSONValue) {
    #expect(throws: GGUFModelError.self) { try tokenizer("bpe") { $0[member] = json } }
  }

  /// By the tokenizers of families, whatever their vocabularies.
  @Test(arguments: [
    ("llama3", "llama-bpe"), ("olmo2", "dbrx"), ("qwen2", "qwen2"), ("qwen35", "qwen35"),
    ("gpt2", "gpt-2"), ("gpt_neox", "gpt-2"), ("phi", "gpt-2"), ("o200k", "gpt-4o"),
    ("tekken", "tekken"), ("starcoder2", "starcoder"), ("command_r", "starcoder"),
    ("falcon", "falcon"), ("bloom", "bloom"), ("deepseek_v3", "deepseek-v3"),
  ])
  func familiesHaveTheirNames(family: String, pre: String) throws {
    let json = try json(SharedFixture.path("tokenizers/\(family)/tokenizer.json"))
    #expect(try GGUFPreTokenizer.model(json) == .byteLevel(pre: pre))
  }

  @Test(arguments: [
    ("llama2", true), ("phi3", true), ("gemma", false), ("metaspace_always", true),
    ("metaspace_never", false), ("metaspace_legacy", true),
  ])
  func sentencePiecesHaveASpaceBeforeATextOrNone(family: String, addsSpace: Bool) throws {
    let json = try json(SharedFixture.path("tokenizers/\(family)/tokenizer.json"))
    #expect(try GGUFPreTokenizer.model(json) == .sentencePiece(addsSpace: addsSpace))
  }

  @Test(arguments: [
    "bert_uncased", "clip", "kimi", "cl100k", "roberta", "superbpe", "bpe_unk_fused",
  ])
  func otherFamiliesHaveNone(family: String) throws {
    let json = try json(SharedFixture.path("tokenizers/\(family)/tokenizer.json"))
    #expect(throws: GGUFModelError.self) { try GGUFPreTokenizer.model(json) }
  }
}
