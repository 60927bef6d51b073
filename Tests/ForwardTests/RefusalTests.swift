import Convert
import Formats
import Forward
import Model
import Testing

/// Models that cannot be run say why, with names and numbers.
@Suite struct RefusalTests {
  @Test func anUnknownModelType() throws {
    var model = try ChangedModel("llama")
    model.config["model_type"] = "llamatron"
    #expect(throws: ArchitectureError.unknownModelType("llamatron")) { try model.open() }
    model.config["model_type"] = nil
    #expect(throws: ArchitectureError.noModelType) { try model.open() }
  }

  @Test func anUnknownKey() throws {
    var model = try ChangedModel("llama")
    model.config["attention_temperature"] = .number("1.5")
    let error = ArchitectureError.unknownKey(
      "attention_temperature", value: "1.5", modelType: "llama")
    #expect(throws: error) { try model.open() }
    #expect(error.message.contains("'attention_temperature': 1.5"))
    model.config["attention_temperature"] = .null
    _ = try model.open()
  }

  @Test func aMissingTensor() throws {
    let name = "model.layers.1.mlp.up_proj.weight"
    var model = try ChangedModel("llama")
    model.replace(name) { _ in nil }
    #expect(throws: ForwardError.missingTensor(name, modelType: "llama")) { try model.open() }
  }

  @Test func aMissingHead() throws {
    var model = try ChangedModel("llama")
    model.replace("lm_head.weight") { _ in nil }
    #expect(throws: ForwardError.noHead(["lm_head.weight"])) { try model.open() }
    model.config["tie_word_embeddings"] = true
    _ = try model.open()
  }

  @Test func aWrongShape() throws {
    let name = "model.layers.0.self_attn.k_proj.weight"
    var model = try ChangedModel("llama")
    model.config["num_key_value_heads"] = 4
    let error = ForwardError.wrongShape(tensor: name, shape: [32, 64], expected: [64, 64])
    #expect(throws: error) { try model.open() }
    #expect(error.message == "tensor '\(name)' has shape [32, 64]; config.json makes it [64, 64]")
  }

  @Test func aBiasThatIsNotAnnounced() throws {
    let name = "model.layers.0.self_attn.q_proj.bias"
    var model = try ChangedModel("llama")
    model.tensors.append(TestTensor(f32: name, [64], [Float](repeating: 0, count: 64)))
    #expect(throws: ForwardError.unusedTensor(name, modelType: "llama")) { try model.open() }
  }

  @Test func notANumber() throws {
    var model = try ChangedModel("llama")
    model.replace("model.layers.1.mlp.down_proj.weight") {
      var weights = [Float](repeating: 0, count: 64 * 96)
      weights[5 * 96] = .nan
      return TestTensor(f32: $0.name, $0.shape, weights)
    }
    let opened = try model.open()
    #expect(
      throws: ForwardError.nonFinite(
        module: "model.layers.1.mlp.down_proj", layer: 1, value: "NaN", token: 0)
    ) { try logits(opened, [[1, 2]]) }
  }

  @Test func infinity() throws {
    var model = try ChangedModel("llama")
    model.replace("model.norm.weight") {
      TestTensor(f32: $0.name, $0.shape, [Float](repeating: .infinity, count: 64))
    }
    let opened = try model.open()
    let error = #expect(throws: ForwardError.self) { try logits(opened, [[1, 2]]) }
    #expect(error?.message.hasPrefix("model.norm gives") == true)
  }

  @Test func tokensOutsideOfTheVocabulary() throws {
    let model = try ReferenceVector("llama").model()
    #expect(throws: ForwardError.unknownToken(256, position: 1, vocabularySize: 256)) {
      try logits(model, [[1, 256]])
    }
  }

  @Test func windowsLongerThanLearnedPositions() throws {
    for (name, longest) in [("gpt2", 64), ("opt", 64)] {
      let model = try ReferenceVector(name).model()
      #expect(throws: ForwardError.windowTooLong(longest + 1, longest: longest)) {
        try logits(model, [[Int](repeating: 1, count: longest + 1)])
      }
      #expect(try logits(model, [[Int](repeating: 1, count: longest)]).count == longest * 256)
    }
  }

  @Test func aTextShorterThanAWindow() throws {
    let model = try ReferenceVector("llama").model()
    #expect(throws: ForwardError.tooFewTokens(3, needed: 4)) {
      try Evaluation(WindowPlan(length: 4), RunContext(threads: 1)).loss(of: model, on: [1, 2, 3])
    }
  }

  @Test func listsOfTokens() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(" 1 2\n\t30\r\n4x 5", to: "ids")
    #expect(try TokenList.read(path, limit: 3) == [1, 2, 30])
    #expect(throws: ForwardError.badToken("4x", line: 3, path: path)) { try TokenList.read(path) }
  }
}
