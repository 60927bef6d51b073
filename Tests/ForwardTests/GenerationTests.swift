import Convert
import Formats
import Forward
import Foundation
import Model
import Testing

@Suite struct GenerationTests {
  private let context = RunContext(threads: 2)

  private func top(_ logits: ArraySlice<Float>) -> Int {
    logits.indices.reduce(logits.startIndex) { logits[$1] > logits[$0] ? $1 : $0 }
      - logits.startIndex
  }

  /// The first token after a part of a text is the one that transformers finds the most probable.
  @Test(arguments: ["llama", "gemma2", "gpt2", "mamba", "deepseek-v3"])
  func theFirstTokenIsThatOfTheReference(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let (tokens, logits) = (vector.tokens, vector.logits)
    let vocabulary = logits.count / tokens.count
    for length in [1, 2, 17, tokens.count] {
      let row = logits[(length - 1) * vocabulary..<length * vocabulary]
      // The vectors' weights are noise; two tokens may be as good as equally likely.
      let best = try Generation(model, prompt: Array(tokens.prefix(length)), context).next()
      #expect(row[row.startIndex + best] > (row.max() ?? 0) - 1e-4)
    }
  }

  @Test func theSampleContinuesAsByFullRuns() throws {
    let model = try ForwardModel(Checkpoint(path: samplesFolder + "/small"))
    let reference = try TensorFile(samplesFolder + "/reference-logits.safetensors")
    let prompt = Array(reference.integers("input_ids").prefix(40))
    var expected = prompt
    for _ in 0..<12 { expected.append(top(try logits(model, [expected]).suffix(1024))) }
    for caches in [true, false] {
      let generation = try Generation(model, prompt: prompt, caches: caches, context)
      for _ in 0..<12 { _ = try generation.next() }
      #expect(generation.tokens == expected)
    }
  }

  /// Sliding windows, learned positions, ALiBi, latent attention, experts, frequencies that change with the
  /// length of the window, and state spaces, for which nothing is kept.
  @Test(arguments: [
    "mistral", "gemma3", "gpt2", "bloom", "falcon-alibi", "deepseek-v3", "qwen2-moe", "gpt-oss",
    "llama-rope-dynamic", "phi3-longrope", "mamba2",
  ])
  func tokensDoNotDependOnTheCache(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let made = try [true, false].map { caches in
      let generation = try Generation(
        model, prompt: Array(vector.tokens.prefix(20)), caches: caches, context)
      for _ in 0..<25 { _ = try generation.next() }
      return generation.tokens
    }
    #expect(made[0] == made[1] && made[0].count == 45)
  }

  /// What is kept was quantized once, when it was made, as over a whole window.
  @Test(arguments: ["gpt2", "deepseek-v3", "mistral"])
  func aQuantizedCacheIsThatOfFullRuns(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let point = try #require(QuantizationPoint(cache: 2))
    func made(caches: Bool, isQuantized: Bool = true) throws -> [Int] {
      let observer =
        isQuantized ? try FakeQuantization(model).subject(at: point).observer : nil
      let generation = try Generation(
        model, prompt: Array(vector.tokens.prefix(20)), caches: caches, observer: observer, context)
      for _ in 0..<12 { _ = try generation.next() }
      return generation.tokens
    }
    let kept = try made(caches: true)
    #expect(try kept == made(caches: false))
    #expect(try kept != made(caches: true, isQuantized: false))
  }

  @Test func equalLogitsGiveTheLowestId() throws {
    var model = try ChangedModel("llama")
    model.replace("lm_head.weight") {
      TestTensor(f32: $0.name, $0.shape, [Float](repeating: 0, count: 256 * 64))
    }
    #expect(try Generation(model.open(), prompt: [7], context).next() == 0)
  }

  @Test func aPromptHasTokensAndAModelHasPositions() throws {
    let model = try ReferenceVector("gpt2").model()
    #expect(throws: ForwardError.tooFewTokens(0, needed: 1)) {
      try Generation(model, prompt: [], context)
    }
    let generation = try Generation(model, prompt: [Int](repeating: 1, count: 63), context)
    for _ in 0..<2 {
      #expect(generation.hasRoom)
      _ = try generation.next()
    }
    #expect(!generation.hasRoom)
    #expect(throws: ForwardError.windowTooLong(65, longest: 64)) { try generation.next() }
  }

  @Test(
    arguments: [
      (nil, "7", [7]), (#"{"eos_token_id": [3, 4]}"#, "7", [3, 4]), ("{}", "[7, 8]", [7, 8]),
      (#"{"eos_token_id": null}"#, "null", []), (#"{"eos_token_id": 9}"#, "7", [9]),
    ] as [(String?, String, [Int])])
  func endsOfSequences(_ file: String?, _ config: String, _ ends: [Int]) throws {
    var model = try ChangedModel("llama")
    model.config["eos_token_id"] = try JSONValue(parsing: Array(config.utf8))
    model.config["bos_token_id"] = 1
    if let file { try model.folder.write(file, to: "generation_config.json") }
    let tokens = try SequenceTokens(of: model.open().checkpoint)
    #expect(tokens.ends == ends && tokens.beginning == 1)
  }

  @Test func aBadEndIsNamed() throws {
    let model = try ChangedModel("llama")
    let path = try model.folder.write(#"{"eos_token_id": "x"}"#, to: "generation_config.json")
    let checkpoint = try model.open().checkpoint
    #expect(
      throws: ForwardError.badSpecialToken(
        #"'eos_token_id' is "x", which is no token"#, path: path)
    ) { try SequenceTokens(of: checkpoint) }
  }

  /// A decoder of bytes: the four of a character come one by one, and one that never comes.
  @Test func charactersAreHeldBackUntilTheyAreWhole() throws {
    let json = """
      {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, \
      "post_processor": null, "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, \
      {"type": "Fuse"}]}, "model": {"type": "BPE", "byte_fallback": true, "vocab": {"a": 0, \
      "<0xF0>": 1, "<0x9F>": 2, "<0x98>": 3, "<0x80>": 4}, "merges": []}}
      """
    let tokenizer = try Tokenizer(parsing: Array(json.utf8), path: "tokenizer.json")
    var stream = try TextStream(tokenizer, after: [0])
    #expect(
      try [0, 1, 2, 3, 4, 0, 1].map { try stream.append($0) } == ["a", "", "", "", "😀", "a", ""])
    #expect(try stream.finish() == "\u{FFFD}")
    #expect(try stream.finish() == "")
  }
}
