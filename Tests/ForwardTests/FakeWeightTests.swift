import Convert
import Formats
import Forward
import Model
import Testing

/// Weights that are quantized as they are read.
@Suite struct FakeWeightTests {
  /// The logits of a model that was really packed with the same settings, embedding and head kept.
  @Test(arguments: [
    "llama", "gemma2", "gpt2", "mixtral", "qwen2-moe", "gpt-oss", "phi3-longrope", "mamba",
    "deepseek-v3", "falcon-7b-style", "opt", "mamba2",
  ])
  func equalAPackedModel(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    for bits in [2, 4, 8] {
      let point = try #require(QuantizationPoint(weights: bits))
      let packed = try pack(vector.path, bits: bits, into: folder.path("packed-\(bits)"))
      let expected = try logits(ForwardModel(packed), [vector.tokens])
      let found = try fakeLogits(vector.model(), point, vector.tokens)
      let areEqual = found == expected
      #expect(areEqual, "\(bits) bits")
    }
  }

  /// What was packed is quantized again, as `--requantize` does it.
  @Test func equalARequantizedModel() throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector("llama")
    let packed = try pack(vector.path, bits: 8, into: folder.path("packed"))
    let again = try pack(packed.path, bits: 4, into: folder.path("again"))
    let expected = try logits(ForwardModel(again), [vector.tokens])
    let found = try fakeLogits(
      ForwardModel(packed), #require(QuantizationPoint(weights: 4)), vector.tokens)
    let areEqual = found == expected
    #expect(areEqual)
  }

  /// No group divides its 66 and 264 inputs.
  @Test func aModelWithoutWeightsThatFit() throws {
    let quantization = try FakeQuantization(ReferenceVector("bloom").model())
    #expect(throws: ForwardError.nothingToQuantize(modelType: "bloom")) {
      try quantization.subject(at: #require(QuantizationPoint(weights: 8)))
    }
    _ = try quantization.subject(at: #require(QuantizationPoint(cache: 8)))
  }

  @Test func groupsAreTheLargestThatFit() throws {
    // 64 inputs, and 96 of the second feed-forward layer.
    let groups = try FakeQuantization(ReferenceVector("llama").model()).groups
    #expect(groups.counts.map(\.size) == [64, 32] && groups.kept.isEmpty)
    #expect(groups.counts[0].weights == 6 * groups.counts[1].weights)
  }

  @Test func groupsThatDoNotDivide() throws {
    let model = try ReferenceVector("llama").model()
    let name = "model.layers.0.mlp.down_proj.weight"
    let error = ForwardError.groupDoesNotDivide(64, tensor: name, inputs: 96)
    #expect(throws: error) { try FakeQuantization(model, groupSize: 64) }
    #expect(error.message == "groups of 64 do not divide the 96 inputs of '\(name)'")
  }

  @Test func widthsThatThereAreNot() {
    #expect(QuantizationPoint() == nil)
    #expect(QuantizationPoint(weights: 7) == nil && QuantizationPoint(weights: 1) == nil)
    #expect(QuantizationPoint(activations: 9) == nil && QuantizationPoint(cache: 1) == nil)
  }

  @Test func aModelWithoutCache() throws {
    let quantization = try FakeQuantization(ReferenceVector("mamba").model())
    let point = try #require(QuantizationPoint(cache: 8))
    #expect(throws: ForwardError.noCache(modelType: "mamba")) {
      try quantization.subject(at: point)
    }
    #expect(
      quantization.qllmEvalPoints.map(\.name) == [
        "W8", "W4", "W3", "W2", "W8A8", "W4A8", "W4A4",
      ])
  }

  private func pack(_ path: String, bits: Int, into output: String) throws -> Checkpoint {
    let source = try Checkpoint(path: path)
    var options = ConversionOptions()
    options.bits = bits
    options.groupSize = 128
    options.method = .minmax
    options.requantizes = true
    options.keep = try ConversionPlan(source, options: options, arrangement: .mlx).tensors
      .filter { $0.identity.role == .tokenEmbedding || $0.identity.role == .outputHead }
      .map { try NamePattern($0.name) }
    options.minimumCoverage = 0
    let plan = try ConversionPlan(source, options: options, arrangement: .mlx)
    _ = try Conversion(plan, target: OutputTarget(path: output))
      .run(replacing: false, RunContext(threads: 2))
    return try Checkpoint(path: output)
  }
}
