import Convert
import Formats
import Model
import Testing

@testable import Forward

/// Channels of every family scaled at random, and the model stays what it was.
@Suite struct FoldTests {
  private static let all =
    ReferenceVector.names.map { ($0, "vectors") }
    + ReferenceVector.formulas.map { ($0, "formulas") }

  /// Powers of two change no bit of any product or sum, so that logits are the same to the last bit; those of
  /// norms whose weights are what factors exceed 1 by are rounded.
  @Test(arguments: all)
  func logitsStay(name: String, folder: String) throws {
    let vector = try ReferenceVector(name, in: folder)
    let model = try vector.model()
    let folds = try randomFolds(of: model)
    #expect(!folds.isEmpty)
    let folded = model.with(model.weights.folded(try Folding(folds, of: model.checkpoint)))
    let (own, source) = try (
      logits(folded, [vector.tokens]), logits(model, [vector.tokens])
    )
    if name.hasPrefix("gemma") {
      #expect(largestDifference(own, source) < 1e-4)
    } else {
      let areEqual = own == source
      #expect(areEqual)
    }
  }

  /// What makes channels is divided, and every reader multiplied; by hand for each kind of fold.
  @Test(arguments: all)
  func weightsAreScaledOnBothSides(name: String, folder: String) throws {
    let model = try ReferenceVector(name, in: folder).model()
    let folds = try randomFolds(of: model)
    let folded = model.with(model.weights.folded(try Folding(folds, of: model.checkpoint)))
    for (fold, record) in zip(model.description.layers.flatMap(\.folds), folds) {
      let exponents = record.exponents
      var factors = exponents.map { Float(sign: .plus, exponent: $0, significand: 1) }
      if case .norm(let norm) = fold.producer {
        let (before, after) = try (
          model.numbers(norm.weights[0]), folded.numbers(norm.weights[0])
        )
        let areScaled = before.indices.allSatisfy { channel in
          guard norm.kind == .rmsAboveOne else {
            return after[channel] == before[channel] / factors[channel]
          }
          // BF16 has eight digits; the readers take what it rounds.
          let expected = (1 + before[channel]) / factors[channel] - 1
          factors[channel] = (1 + before[channel]) / (1 + after[channel])
          return abs(after[channel] - expected) <= 0x1p-8 * abs(expected)
        }
        #expect(areScaled, "\(norm.module)")
      }
      // Outputs of readers may be channels of another fold.
      let own = folds.map(\.module)
      for reader in fold.readers.prefix(3) where !own.contains(model.stored(reader.module)) {
        let row = (reader.place?.index ?? 0) * reader.outputs * reader.inputs
        let (before, after) = try (
          outputMajor(reader, of: model, row), outputMajor(reader, of: folded, row)
        )
        let areScaled = (0..<reader.inputs).allSatisfy { input in
          let expected = before[input] * factors[fold.channel(ofInput: input)]
          return abs(after[input] - expected) <= 1e-6 * abs(expected)
        }
        #expect(areScaled, "\(reader.module)")
      }
    }
  }

  private func outputMajor(
    _ linear: LinearDescription, of model: ForwardModel, _ start: Int
  ) throws -> [Float] {
    let tile = WeightTile()
    try model.source(linear.weight, order: linear.order)
      .read(start..<start + linear.inputs, into: tile)
    return Array(tile.weights.prefix(linear.inputs))
  }

  /// Written down by hand from the papers' figures of each block.
  @Test(arguments: [
    ("llama", ["input_layernorm", "post_attention_layernorm", "self_attn.v_proj", "mlp.up_proj"]),
    (
      "gemma2",
      ["input_layernorm", "pre_feedforward_layernorm", "self_attn.v_proj", "mlp.up_proj"]
    ),
    ("olmo2", ["self_attn.v_proj", "mlp.up_proj"]),
    ("opt", ["self_attn_layer_norm", "final_layer_norm", "self_attn.v_proj", "fc1"]),
    ("opt-post-norm", ["self_attn.v_proj", "fc1"]),
    ("gpt2", ["ln_1", "ln_2", "attn.c_attn"]),
    ("gpt-neox", ["input_layernorm", "post_attention_layernorm", "attention.query_key_value"]),
    ("falcon-7b-style", ["input_layernorm", "self_attention.query_key_value"]),
    (
      "phi3-window",
      ["input_layernorm", "post_attention_layernorm", "self_attn.qkv_proj", "mlp.gate_up_proj"]
    ),
    ("gpt-oss", ["input_layernorm", "post_attention_layernorm", "self_attn.v_proj"]),
    ("mamba", ["norm"]), ("mamba2", ["norm", "mixer.norm"]),
  ])
  func modulesOfALayer(name: String, modules: [String]) throws {
    let description = try ReferenceVector(name).model().description
    let layer = description.layers[0]
    #expect(layer.folds.map(\.module) == modules.map { "\(description.layerPrefix)0.\($0)" })
  }

  /// A router reads what its experts read, and in a parallel block the feed-forward part what attention reads.
  @Test func allReadersAreScaledTogether() throws {
    let mixture = try ReferenceVector("mixtral").model().description.layers[0]
    let read = mixture.folds[1].readers.map(\.module)
    #expect(read.first == "model.layers.0.block_sparse_moe.gate")
    #expect(read.contains("model.layers.0.block_sparse_moe.experts.1.w3"))
    let parallel = try ReferenceVector("falcon-7b-style").model().description.layers[0]
    #expect(
      parallel.folds[0].readers.map(\.module) == [
        "transformer.h.0.self_attention.query_key_value",
        "transformer.h.0.mlp.dense_h_to_4h",
      ])
  }

  @Test func whatDoesNotFitIsRefusedByName() throws {
    let checkpoint = try Checkpoint(path: ReferenceVector("llama").path)
    let module = "model.layers.0.self_attn.q_proj"
    #expect(
      throws: FoldError.unknownModule(
        path: checkpoint.path, module: module, modelType: "llama")
    ) { try Folding([.init(module: module, exponents: [0])], of: checkpoint) }
    let norm = "model.layers.1.input_layernorm"
    let error = try #require(throws: FoldError.self) {
      try Folding([.init(module: norm, exponents: [1, 2])], of: checkpoint)
    }
    guard case .wrongCount(_, norm, 2, _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  // MARK: - Conversions

  /// With everything kept, an output holds the folded model: as mlx-lm takes it, stacked, split and turned.
  @Test(arguments: [
    "llama", "gpt2", "mixtral", "qwen2-moe", "deepseek-v3", "phi3-window", "gpt-neox", "mamba2",
    "gpt-oss", "opt",
  ])
  func outputsAreTheFoldedModel(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    var options = ConversionOptions()
    options.keep = [try NamePattern("*")]
    options.minimumCoverage = 0
    options.folds = try randomFolds(of: model)
    try convert(vector, options, to: folder.path("kept"))
    let kept = try ForwardModel(Checkpoint(path: folder.path("kept")))
    let own = try logits(kept, [vector.tokens])
    #expect(largestDifference(own, try logits(model, [vector.tokens])) < 1e-5)
    let norm = try #require(model.description.layers[0].norms.preMixer?.weights.first)
    let isScaled = try kept.numbers(norm) != model.numbers(norm)
    #expect(isScaled)
    #expect(try findings(folder.path("kept"), vector) == [])
  }

  /// Both decoders of `validate` find in the source what was folded and packed; without the record they do not.
  @Test(arguments: ["llama", "gpt2", "mixtral", "deepseek-v3", "gemma2"])
  func packedOutputsAreHeldAgainstTheSource(name: String) throws {
    let folder = try TemporaryFolder()
    let vector = try ReferenceVector(name)
    var options = ConversionOptions()
    (options.bits, options.groupSize) = (8, 32)
    options.folds = try randomFolds(of: vector.model(), largest: 1)
    for threads in [1, 3] {
      try convert(vector, options, to: folder.path("\(threads)"), threads: threads)
    }
    let file = "model.safetensors"
    #expect(
      try contents(of: folder.path("1/\(file)")) == contents(of: folder.path("3/\(file)")))
    #expect(try findings(folder.path("1"), vector) == [])
    let packed = try ForwardModel(Checkpoint(path: folder.path("1")))
    let own = try logits(packed, [vector.tokens])
    let difference = zip(own, vector.logits).reduce(0) { $0 + abs($1.0 - $1.1) }
    #expect(difference > 0 && difference / Float(own.count) < 0.15)
  }

  private func findings(_ path: String, _ vector: ReferenceVector) throws -> [String] {
    try Validator(path: path).run(against: vector.path, RunContext(threads: 2)).map(\.message)
  }

  private func convert(
    _ vector: ReferenceVector, _ options: ConversionOptions, to path: String, threads: Int = 2
  ) throws {
    let plan = try ConversionPlan(Checkpoint(path: vector.path), options: options)
    _ = try Conversion(plan, target: OutputTarget(path: path))
      .run(replacing: false, RunContext(threads: threads))
  }

  /// Powers of two for each channel of every fold, from 1/8 to 8 where the largest exponent is 3.
  private func randomFolds(of model: ForwardModel, largest: Int = 3) throws -> [Manifest.Fold] {
    var state: UInt64 = 7
    return model.description.layers.flatMap(\.folds).map { fold in
      Manifest.Fold(
        module: model.stored(fold.module),
        exponents: (0..<fold.channelCount).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int(state >> 33) % (2 * largest + 1) - largest
        })
    }
  }
}
