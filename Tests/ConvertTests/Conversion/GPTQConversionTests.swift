import Formats
import Foundation
import Testing

@testable import Convert

/// Conversions for the second moments of inputs.
@Suite struct GPTQConversionTests {
  private let folder: TemporaryFolder
  private var source: String { folder.path("source") }
  private static let up = "model.layers.0.mlp.up_proj.weight"
  private static let down = "model.layers.0.mlp.down_proj.weight"
  private static let embedding = "model.embed_tokens.weight"

  init() throws { folder = try TemporaryFolder() }

  private func writeSource(isTied: Bool = false, more: [TestTensor] = [], model: String = "llama")
    throws
  {
    try folder.makeFolder("source")
    var tensors = [
      TestTensor(random: Self.embedding, .bf16, [32, 64], seed: 1),
      TestTensor(random: Self.up, .bf16, [37, 64], seed: 2),
      TestTensor(random: Self.down, .bf16, [64, 96], seed: 3),
      TestTensor(random: "model.norm.weight", .bf16, [64], seed: 4),
    ]
    if !isTied { tensors.append(TestTensor(random: "lm_head.weight", .bf16, [32, 64], seed: 5)) }
    try writeSafetensors(tensors + more, to: source + "/model.safetensors")
    try folder.write(
      "source/config.json",
      #"{"model_type": "\#(model)", "rms_norm_eps": 1e-05, "tie_word_embeddings": \#(isTied)}"#)
  }

  private func options(_ matrices: [String: GramMatrix]) -> ConversionOptions {
    var options = ConversionOptions()
    (options.bits, options.groupSize, options.method) = (3, 32, .gptq)
    options.grams = TestGrams(matrices: matrices)
    options.calibration = [BitPlan.Input(name: "cal.safetensors", byteCount: 1, checksum: 2)]
    return options
  }

  private var usual: [String: GramMatrix] {
    [
      Self.up: GramMatrix(correlated: 64, tokens: 90, seed: 1),
      Self.down: GramMatrix(correlated: 96, tokens: 90, seed: 2),
    ]
  }

  private func methods(_ path: String) throws -> [String: String] {
    let packed = try PackedCheckpoint(Checkpoint(path: path))
    return Dictionary(
      uniqueKeysWithValues: packed.tensors.compactMap { tensor in
        tensor.entry.method.map { (tensor.entry.name, $0) }
      })
  }

  @Test func whatIsNotMeasuredIsSearchedAndEachEntrySaysWhatItIs() throws {
    try writeSource()
    try convert(source, to: folder.path("out"), options: options(usual))
    #expect(
      try methods(folder.path("out")) == [
        Self.up: "gptq", Self.down: "gptq", Self.embedding: "search-2",
        "lm_head.weight": "search-2",
      ])
    #expect(try validate(folder.path("out"), against: source) == [])
    var search = options([:])
    search.method = .search
    try convert(source, to: folder.path("searched"), options: search)
    let (made, searched) = try (
      Checkpoint(path: folder.path("out")), Checkpoint(path: folder.path("searched"))
    )
    for name in ["lm_head.weight", "lm_head.scales", "lm_head.biases"] {
      #expect(try made.bytes(name) == searched.bytes(name))
    }
    #expect(try made.bytes(Self.up) != searched.bytes(Self.up))
  }

  /// What is written decodes to weights whose outputs are nearer to the source's than those of the search.
  @Test func outputsOnTheInputsAreNearerToTheSource() throws {
    try writeSource()
    var search = options([:])
    search.method = .search
    let losses = try [options(usual), search].enumerated().map { index, options in
      try convert(source, to: folder.path("\(index)"), options: options)
      try unpack(folder.path("\(index)"), to: folder.path("\(index)u"), type: .f32)
      let judge = NaiveGPTQ(usual[Self.down]!.rows, damping: 0, order: Array(0..<96))
      let decoded = try values(Self.down, in: Checkpoint(path: folder.path("\(index)u")))
      let weights = try values(Self.down, in: Checkpoint(path: source))
      return (0..<64).reduce(0) { sum, row in
        sum
          + judge.weightedError(
            (row * 96..<row * 96 + 96).map { Double(weights[$0] - decoded[$0]) })
      }
    }
    #expect(losses[0] < 0.5 * losses[1])
  }

  /// Of a matrix whose rows are more than a tile.
  @Test func bytesDoNotDependOnTheNumberOfThreads() throws {
    let wide = "model.layers.0.mlp.gate_proj.weight"
    try writeSource(more: [TestTensor(repeating: wide, .bf16, [4200, 64], seed: 7)])
    var grams = usual
    grams[wide] = grams[Self.up]
    for threads in [1, 7] {
      try convert(
        source, to: folder.path("out\(threads)"), options: options(grams), threads: threads)
    }
    #expect(
      try folder.bytes("out1/model.safetensors") == folder.bytes("out7/model.safetensors"))
    #expect(try methods(folder.path("out1"))[wide] == "gptq")
  }

  @Test func anEmbeddingThatIsTheHeadTooTakesTheHeadsInputs() throws {
    try writeSource(isTied: true)
    var grams = usual
    grams[Self.embedding] = GramMatrix(correlated: 64, tokens: 90, seed: 3)
    let plan = try ConversionPlan(Checkpoint(path: source), options: options(grams))
    let embedding = plan.tensors.first { $0.name == Self.embedding }
    #expect(embedding?.grams?.damping == 1)
    #expect(plan.tensors.first { $0.name == Self.up }?.grams?.damping == 0.01)
    try convert(source, to: folder.path("out"), options: options(grams))
    #expect(try methods(folder.path("out"))[Self.embedding] == "gptq")
    #expect(try validate(folder.path("out"), against: source) == [])
  }

  @Test func anExpertThatNoTokenWentToIsSearchedAmongTheOthers() throws {
    let experts = (0..<3).flatMap { expert in
      ["w1", "w2", "w3"].map {
        TestTensor(
          random: "model.layers.0.block_sparse_moe.experts.\(expert).\($0).weight", .bf16,
          [64, 64], seed: UInt64(expert))
      }
    }
    try writeSource(more: experts, model: "mixtral")
    var grams = usual
    for expert in [0, 2] {
      grams["model.layers.0.block_sparse_moe.experts.\(expert).w1.weight"] = GramMatrix(
        correlated: 64, tokens: 40, seed: 6)
    }
    let plan = try ConversionPlan(Checkpoint(path: source), options: options(grams))
    let stack = try #require(
      plan.tensors.first { $0.name.hasSuffix("switch_mlp.gate_proj.weight") })
    #expect(stack.grams?.weights.map { $0 != nil } == [true, false, true])
    #expect(stack.searchedMatrixCount == 1)
    try convert(source, to: folder.path("out"), options: options(grams))
    var search = options([:])
    search.method = .search
    try convert(source, to: folder.path("searched"), options: search)
    let (made, searched) = try (
      Checkpoint(path: folder.path("out")).bytes(stack.name),
      Checkpoint(path: folder.path("searched")).bytes(stack.name)
    )
    let size = made.count / 3
    #expect(
      (0..<3).map { made[$0 * size..<($0 + 1) * size] == searched[$0 * size..<($0 + 1) * size] }
        == [false, true, false])
    #expect(try methods(folder.path("out"))[stack.name] == "gptq")
    #expect(try validate(folder.path("out"), against: source) == [])
  }

  @Test func inputsOfAnotherNumberAreRefusedBeforeAnythingIsWritten() throws {
    try writeSource()
    var grams = usual
    grams[Self.down] = GramMatrix(identity: 64)
    #expect(
      throws: GramError.wrongOrder(file: "grams", tensor: Self.down, order: 64, inputs: 96)
    ) {
      try ConversionPlan(Checkpoint(path: source), options: options(grams))
    }
  }

  @Test func aDamagedMatrixLeavesNothing() throws {
    try writeSource()
    var grams = usual
    var values = grams[Self.up]!.values
    values[5] = .infinity
    grams[Self.up] = GramMatrix(order: 64, tokenCount: 90, values: values)
    #expect(
      throws: GramError.impossible(
        file: "grams", tensor: Self.up, row: 2, column: 2, value: "inf")
    ) {
      try convert(source, to: folder.path("out"), options: options(grams))
    }
    #expect(folder.entries.filter { !$0.hasPrefix("source") } == [])
  }

  /// Adapters are merged first, and codes are those of the merged weights.
  @Test func mergedWeightsAreQuantizedLikeWeightsThatWereMergedBefore() throws {
    try writeSource()
    let module = "model.layers.0.mlp.up_proj"
    try writeAdapter(
      [
        TestTensor(random: module + ".lora_A.weight", .f32, [2, 64], seed: 8),
        TestTensor(random: module + ".lora_B.weight", .f32, [37, 2], seed: 9),
      ], to: folder.path("adapter"))
    let adapters = try AdapterSet([.init(path: folder.path("adapter"))], pooling: nil)
    func run(_ path: String, _ options: ConversionOptions) throws -> Checkpoint {
      let plan = try ConversionPlan(
        Checkpoint(path: source), options: options, adapters: adapters)
      _ = try Conversion(plan, target: OutputTarget(path: folder.path(path))).run(
        replacing: false, RunContext(threads: 2))
      return try Checkpoint(path: folder.path(path))
    }
    let made = try run("out", options(usual))
    let before = try convertedWithoutAdapter()
    #expect(try made.bytes(Self.up) != before.bytes(Self.up))
    #expect(try made.bytes(Self.down) == before.bytes(Self.down))
    #expect(
      throws: MergeError.needsActivations(
        path: folder.path("out"), files: ["cal.safetensors"])
    ) {
      try Validator(path: folder.path("out")).run(
        against: source, adapters: adapters, RunContext(threads: 2))
    }
  }

  private func convertedWithoutAdapter() throws -> Checkpoint {
    try convert(source, to: folder.path("plain"), options: options(usual))
    return try Checkpoint(path: folder.path("plain"))
  }

  @Test func aPlanSaysWidthsAndNotTheMethod() throws {
    let plan = try SampleModel.planner().plan(.bitsPerWeight(4))
    var options = options([:])
    options.plan = plan
    #expect(options.method == .gptq)
    var other = ConversionOptions()
    other.plan = plan
    #expect(other.method == .minmax)
  }
}
