import Formats
import Stats
import Testing

@testable import Convert

@Suite struct DumpCheckTests {
  private let layer: [TestTensor] = [
    TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [8, 4], seed: 1),
    TestTensor(random: "model.layers.0.self_attn.k_proj.weight", .bf16, [6, 4], seed: 2),
    TestTensor(random: "model.layers.1.self_attn.v_proj.weight", .bf16, [12, 4], seed: 3),
  ]

  /// The dump's one tensor is refused with this problem, and left out where going on is wanted.
  private func expectRefusal(
    of dumped: TestTensor, in tensors: [TestTensor], config: String = #"{"model_type": "llama"}"#,
    _ problem: (String) -> DumpError, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = try MeasuredFolder(tensors, config: config)
    let path = try folder.dump(dumped)
    #expect(throws: problem(path), sourceLocation: sourceLocation) { try folder.run([path]) }
    #expect(throws: DumpError.nothing(files: [path]), sourceLocation: sourceLocation) {
      try folder.run([path], .keepingGoing)
    }
    let sound = try folder.dump(
      TestTensor(
        random: tensors[tensors.count - 1].name.replacing(".weight", with: ".input"), .f32,
        [1, tensors[tensors.count - 1].shape[config.contains("gpt2") ? 0 : 1]], seed: 9),
      as: "sound.safetensors")
    let run = try folder.run([path, sound], .keepingGoing)
    #expect(run.problems == [problem(path)], sourceLocation: sourceLocation)
    let found = try folder.measure([path, sound], .keepingGoing)
    #expect(found.filter { $0.kind != .weight }.count == 1, sourceLocation: sourceLocation)
  }

  @Test func unknownModules() throws {
    let name = "model.layers.0.mlp.gate_proj.input"
    try expectRefusal(of: TestTensor(random: name, .f32, [2, 4], seed: 4), in: layer) {
      .unknownModule(file: $0, tensor: name, module: "model.layers.0.mlp.gate_proj")
    }
  }

  @Test func inputsOfAnotherWidth() throws {
    let name = "model.layers.0.mlp.up_proj.input.0"
    try expectRefusal(of: TestTensor(random: name, .f32, [2, 8], seed: 4), in: layer) {
      .widthMismatch(
        file: $0, tensor: name, shape: [2, 8], weight: "model.layers.0.mlp.up_proj.weight",
        expected: 4)
    }
  }

  @Test func unknownLayers() throws {
    try expectRefusal(of: TestTensor(random: "layers.2.key", .f32, [2, 1, 6], seed: 4), in: layer) {
      .unknownLayer(file: $0, tensor: "layers.2.key", layer: 2, layerCount: 2)
    }
  }

  @Test func cachesOfAnotherWidth() throws {
    try expectRefusal(
      of: TestTensor(random: "layers.1.value", .f32, [2, 3, 5], seed: 4), in: layer
    ) {
      .widthMismatch(
        file: $0, tensor: "layers.1.value", shape: [2, 3, 5],
        weight: "model.layers.1.self_attn.v_proj.weight", expected: 12)
    }
    // Nothing is known of the keys' width in this layer.
    let folder = try MeasuredFolder(layer)
    let path = try folder.dump(TestTensor(random: "layers.1.key", .f32, [2, 3, 5], seed: 4))
    #expect(try folder.measure("layers.1.key", [path]).shape == [2, 3, 5])
  }

  /// GPT-2 fuses query, key and value, and stores inputs first: [8, 24] gives 8 keys.
  /// Of ten outputs eight are the latent vector, and two the rotary key.
  @Test(arguments: [("latent", 8), ("rope_key", 2)])
  func whatLatentAttentionCachesOfAnotherWidth(_ kind: String, _ expected: Int) throws {
    let down = "model.layers.0.self_attn.kv_a_proj_with_mqa.weight"
    let tensors = [TestTensor(random: down, .f32, [10, 4], seed: 5)]
    let config = #"{"model_type": "deepseek_v3", "kv_lora_rank": 8}"#
    let name = "layers.0.\(kind)"
    try expectRefusal(
      of: TestTensor(random: name, .f32, [2, 5], seed: 4), in: tensors, config: config
    ) {
      .widthMismatch(file: $0, tensor: name, shape: [2, 5], weight: down, expected: expected)
    }
    let folder = try MeasuredFolder(tensors, config: config)
    let path = try folder.dump(TestTensor(random: name, .f32, [2, expected], seed: 4))
    let found = try folder.measure(name, [path])
    #expect(found.kind.rawValue == kind && found.layer == 0 && found.headMagnitudes == nil)
    #expect(found.channels?.count == expected)
  }

  @Test func cachesOfAFusedProjection() throws {
    let tensors = [TestTensor(random: "h.0.attn.c_attn.weight", .f32, [8, 24], seed: 5)]
    let config = #"{"model_type": "gpt2", "n_embd": 8, "n_head": 2}"#
    try expectRefusal(
      of: TestTensor(random: "layers.0.key", .f32, [2, 2, 12], seed: 4), in: tensors, config: config
    ) {
      .widthMismatch(
        file: $0, tensor: "layers.0.key", shape: [2, 2, 12], weight: "h.0.attn.c_attn.weight",
        expected: 8)
    }
    let folder = try MeasuredFolder(tensors, config: config)
    let path = try folder.dump(TestTensor(random: "layers.0.key", .f32, [2, 2, 4], seed: 4))
    #expect(try folder.measure("layers.0.key", [path]).headMagnitudes?.count == 2)
  }

  @Test func valuesThatAreNoNumbers() throws {
    let folder = try MeasuredFolder(layer)
    let name = "model.layers.0.mlp.up_proj.input"
    let path = try folder.dump(
      TestTensor(name, .f32, [2, 4], values: [1, .nan, 2, 3, .infinity, 4, 5, -.infinity]))
    #expect(
      throws: DumpError.nonFinite(file: path, tensor: name, nan: 1, infinite: 2, count: 8)
    ) { try folder.measure([path]) }
    var options = MeasureOptions.keepingGoing
    options.keepsChannels = true
    let found = try folder.measure(name, [path], options)
    // Of two tokens, one of which says nothing in all channels but the third.
    #expect(found.everyChannel?.meanMagnitude == [1, 4, 3.5, 3])
    #expect(found.everyChannel?.meanSquare == [1, 16, 14.5, 9])
    #expect(found.distribution.nanCount == 1)
    #expect(found.distribution.infinityCount == 2)
    #expect(found.distribution.moments.mean == 3)
    #expect(found.tokens?.largest == 5)
    #expect(found.sqnr(.perToken, bits: 8).map { $0 > 30 } ?? false)
  }

  @Test func theFilterAlsoPicksByTheWeightsName() throws {
    let folder = try MeasuredFolder(layer)
    let path = try folder.dump(
      TestTensor(random: "model.layers.0.mlp.up_proj.input", .f32, [2, 4], seed: 4),
      TestTensor(random: "layers.0.key", .f32, [2, 1, 6], seed: 4))
    var options = MeasureOptions()
    options.filter = try NamePattern("*.up_proj.weight")
    #expect(
      try folder.measure([path], options).map(\.name)
        == ["model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.input"])
    options.filter = try NamePattern("layers.0.key")
    #expect(try folder.measure([path], options).map(\.name) == ["layers.0.key"])
    options.filter = try NamePattern("nothing")
    #expect(throws: PlanError.patternMatchesNothing("nothing", option: "--filter")) {
      try folder.run([path], options)
    }
  }
}
