import Formats
import Foundation
import Stats
import Testing

@testable import Convert

@Suite struct ConversionTests {
  /// A small llama.
  private func writeSource(_ folder: TemporaryFolder, edit: (inout [TestTensor]) -> Void = { _ in })
    throws -> String
  {
    let source = folder.path + "/source"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
    var tensors = [
      TestTensor(random: "model.embed_tokens.weight", .bf16, [32, 128], seed: 1),
      TestTensor(random: "lm_head.weight", .bf16, [32, 128], seed: 2),
      TestTensor(random: "model.norm.weight", .bf16, [128], seed: 3),
    ]
    for layer in 0..<2 {
      let prefix = "model.layers.\(layer)."
      tensors += [
        TestTensor(random: prefix + "mlp.up_proj.weight", .bf16, [48, 128], seed: 4),
        TestTensor(random: prefix + "mlp.down_proj.weight", .bf16, [32, 96], seed: 5),
        TestTensor(random: prefix + "input_layernorm.weight", .bf16, [128], seed: 6),
      ]
    }
    edit(&tensors)
    try writeSafetensors(tensors, to: source + "/model.safetensors")
    try folder.write(
      "source/config.json",
      Array(#"{"model_type": "llama", "rms_norm_eps": 1e-05, "tie_word_embeddings": false}"#.utf8))
    return source
  }

  /// Of many small tensors, and of one that is more than one tile.
  @Test(arguments: [QuantizationMethod.search, .minmax])
  func bytesDoNotDependOnTheNumberOfThreads(_ method: QuantizationMethod) throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder) { tensors in
      tensors.append(
        TestTensor(repeating: "model.layers.0.mlp.gate_proj.weight", .bf16, [2100, 128], seed: 7))
    }
    var options = ConversionOptions()
    options.method = method
    for threads in [1, 2, 7] {
      try convert(
        source, to: folder.path + "/out\(threads)", options: options, threads: threads)
    }
    let first = try folder.bytes("out1/model.safetensors")
    #expect(try folder.bytes("out2/model.safetensors") == first)
    #expect(try folder.bytes("out7/model.safetensors") == first)
  }

  @Test func plannedSizeIsTheSizeOnDisk() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    var options = ConversionOptions()
    options.shardLimit = 4000
    let plan = try ConversionPlan(Checkpoint(path: source), options: options)
    let conversion = try Conversion(plan, target: OutputTarget(path: folder.path + "/out"))
    let planned = conversion.byteCount()
    _ = try conversion.run(
      replacing: false, RunContext(threads: 2))
    let files = folder.entries.filter { $0.hasPrefix("out/") }
    #expect(try files.reduce(0) { try $0 + folder.bytes($1).count } == planned)
    #expect(files.contains("out/model.safetensors.index.json"))
    #expect(conversion.output.files.count > 1)
    #expect(try validate(folder.path + "/out", against: source) == [])
  }

  @Test func groupSizeFallsBackAndIsConfigured() throws {
    let folder = try TemporaryFolder()
    try convert(try writeSource(folder), to: folder.path + "/out")
    let config = try JSONValue(parsing: folder.bytes("out/config.json"))
    #expect(config["rms_norm_eps"] == .number("1e-05"))
    let block = try #require(config["quantization"])
    #expect(block["bits"] == 4 && block["group_size"] == 64)
    // 96 inputs divide by 32 and not by 64.
    #expect(
      block["model.layers.1.mlp.down_proj"]
        == ["group_size": 32, "bits": 4, "mode": "affine"])
    #expect(config["quantization_config"] == block)
  }

  @Test func everyFlippedBitIsFound() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    try convert(source, to: folder.path + "/out")
    let bytes = try folder.bytes("out/model.safetensors")
    var generator = SplitMix64(seed: 99)
    let headerEnd = 8 + Int(bytes[8...].firstIndex(of: UInt8(ascii: " ")) ?? 4000)
    for round in 0..<120 {
      var damaged = bytes
      let limit = round % 2 == 0 ? bytes.count : min(headerEnd, bytes.count)
      let place = Int.random(in: 0..<limit, using: &generator)
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      try folder.write("out/model.safetensors", damaged)
      #expect(try validate(folder.path + "/out") != [], "byte \(place)")
    }
  }

  @Test func nonFiniteWeightsStopTheConversionOrBecomeZero() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder) { tensors in
      var weights = [Float](repeating: 0.5, count: 64 * 128)
      weights[200] = .nan
      weights[300] = .infinity
      tensors.append(
        TestTensor("model.layers.0.mlp.gate_proj.weight", .bf16, [64, 128], values: weights))
    }
    #expect(
      throws: ConversionError.nonFinite(
        file: "model.safetensors", tensor: "model.layers.0.mlp.gate_proj.weight", index: 200,
        value: "NaN", count: 2)
    ) { try convert(source, to: folder.path + "/out") }
    #expect(!folder.entries.contains { $0.contains("out") })
    var options = ConversionOptions()
    options.nonFinite = .zero
    try convert(source, to: folder.path + "/out", options: options)
    #expect(try validate(folder.path + "/out", against: source) == [])
  }

  @Test func patternsThatMatchNothingAreErrors() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Checkpoint(path: writeSource(folder))
    var options = ConversionOptions()
    options.keep = [try NamePattern("lm_hed")]
    #expect(throws: PlanError.patternMatchesNothing("lm_hed", option: "--keep")) {
      try ConversionPlan(checkpoint, options: options)
    }
    options.keep = []
    options.overrides = [try .init(parsing: "*norm*=8")]
    #expect(throws: PlanError.patternMatchesNothingQuantizable("*norm*", option: "--override")) {
      try ConversionPlan(checkpoint, options: options)
    }
    options.overrides = [try .init(parsing: "re:layers\\.1\\..*=8:32")]
    let plan = try ConversionPlan(checkpoint, options: options)
    let layouts = plan.tensors.filter { $0.identity.layer == 1 }.map(\.action)
    let eight = try #require(AffineLayout(bits: 8, groupSize: 32))
    #expect(layouts.filter { $0 == .quantize(eight, .bf16) }.count == 2)
  }

  @Test func tooLittleCoverageIsAnError() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Checkpoint(
      path: writeSource(folder) {
        $0.append(TestTensor(random: "model.odd.weight", .bf16, [300, 100], seed: 8))
      })
    var options = ConversionOptions()
    options.minimumCoverage = 0.95
    #expect {
      try ConversionPlan(checkpoint, options: options)
    } throws: { error in
      guard case PlanError.coverageTooLow(_, _, let unfit)? = error as? PlanError else {
        return false
      }
      return unfit == ["model.odd.weight"]
    }
  }

  @Test func tiedWeightsAreStoredOnce() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder) {
      $0[1] = TestTensor("lm_head.weight", .bf16, [32, 128], bytes: $0[0].bytes)
    }
    try folder.write("source/config.json", Array(#"{"model_type": "llama"}"#.utf8))
    try convert(source, to: folder.path + "/out")
    let out = try Checkpoint(path: folder.path + "/out")
    #expect(!out.tensors.contains { $0.name.hasPrefix("lm_head") })
    #expect(out.config?.tiesWordEmbeddings == true)
  }

  /// As transformers loads it: the bytes are believed, not the configuration.
  @Test(arguments: [
    #"{"model_type": "llama", "tie_word_embeddings": true}"#,
    #"{"text_config": {"model_type": "llama", "tie_word_embeddings": true}}"#,
    #"{"tie_word_embeddings": true, "text_config": {"tie_word_embeddings": true, "b": 1}}"#,
  ])
  func aTieThatIsNoneIsUntied(_ config: String) throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    try folder.write("source/config.json", Array(config.utf8))
    let plan = try ConversionPlan(Checkpoint(path: source), options: ConversionOptions())
    #expect(plan.tiesWordEmbeddings == false)
    #expect(
      plan.warnings == [
        "config.json ties 'lm_head.weight' to 'model.embed_tokens.weight', but their bytes differ:"
          + " both are kept apart, and tie_word_embeddings becomes false"
      ])
    try convert(source, to: folder.path + "/out")
    let out = try Checkpoint(path: folder.path + "/out")
    #expect(out.tensors.contains { $0.name == "lm_head.weight" })
    let written = try #require(out.config?.document)
    #expect(written["tie_word_embeddings"] == false)
    #expect(written["text_config"]?["tie_word_embeddings"] != true)
    #expect(written["text_config"]?["b"] == (config.contains("b\": 1") ? 1 : nil))
  }

  @Test func aTieThatHoldsIsNoCauseForAWarning() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    let plan = try ConversionPlan(Checkpoint(path: source), options: ConversionOptions())
    #expect(plan.warnings.isEmpty)
  }

  @Test func theSourceIsNeverTheOutput() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    for output in [source, source + "/inside", folder.path, source + "/model.safetensors"] {
      #expect(throws: OutputError.isSource(output: output, source: source)) {
        try convert(source, to: output, replacing: true)
      }
    }
  }

  @Test func forceReplacesOnlyWhatTheOutputReplaces() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    let out = folder.path + "/out"
    try convert(source, to: out)
    #expect(throws: FileError.alreadyExists(path: out)) { try convert(source, to: out) }
    try convert(source, to: out, replacing: true)
    try folder.write("out/thesis.txt", [1, 2, 3])
    #expect(throws: OutputError.holdsOtherFiles(directory: out, names: ["thesis.txt"])) {
      try convert(source, to: out, replacing: true)
    }
    #expect(try folder.bytes("out/thesis.txt") == [1, 2, 3])
  }

  @Test func anInterruptedRunLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    let cancellation = Cancellation()
    cancellation.cancel()
    #expect(throws: CancellationError.self) {
      try convert(source, to: folder.path + "/out", cancellation: cancellation)
    }
    #expect(folder.entries.allSatisfy { $0.hasPrefix("source") })
  }

  @Test func eightBitFloatsAreDecodedWithTheirScales() throws {
    let folder = try TemporaryFolder()
    // 0x38 is 1.0 in E4M3; the scale of a weight is its block's number, plus one.
    let ones = [UInt8](repeating: 0x38, count: 136 * 192)
    let source = try writeSource(folder) { tensors in
      tensors += [
        TestTensor("model.layers.0.mlp.gate_proj.weight", .f8E4M3, [136, 192], bytes: ones),
        TestTensor(
          "model.layers.0.mlp.gate_proj.weight_scale_inv", .f32, [2, 2], values: [1, 2, 3, 4]),
        TestTensor(
          "model.layers.1.mlp.gate_proj.weight", .f8E4M3, [2, 64],
          bytes: Array(ones.prefix(128))),
        TestTensor("model.layers.1.mlp.gate_proj.weight_scale", .f32, [2, 1], values: [0.5, -8]),
      ]
    }
    try convert(source, to: folder.path + "/out")
    #expect(try validate(folder.path + "/out", against: source) == [])
    try unpack(folder.path + "/out", to: folder.path + "/plain")
    let plain = try Checkpoint(path: folder.path + "/plain")
    let blocks = try values("model.layers.0.mlp.gate_proj.weight", in: plain)
    #expect([blocks[0], blocks[128], blocks[128 * 192], blocks[130 * 192 + 130]] == [1, 2, 3, 4])
    let rows = try values("model.layers.1.mlp.gate_proj.weight", in: plain)
    #expect([rows[0], rows[63], rows[64], rows[127]] == [0.5, 0.5, -8, -8])
  }

  @Test func eightBitFloatsWithoutScalesAreRefused() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder) {
      $0.append(
        TestTensor(random: "model.layers.0.mlp.gate_proj.weight", .f8E4M3, [32, 64], seed: 1))
    }
    #expect(
      throws: SourceError.scaleMissing(
        tensor: "model.layers.0.mlp.gate_proj.weight", file: "model.safetensors")
    ) { try ConversionPlan(Checkpoint(path: source), options: ConversionOptions()) }
  }

  /// The Hugging Face cache: every file of a snapshot, in folders too, is a link into `blobs`.
  @Test func filesOfTheCacheAreCarriedOverFromFoldersToo() throws {
    let folder = try TemporaryFolder()
    let source = try writeSource(folder)
    let snapshot = folder.path + "/models--x/snapshots/1"
    let files = FileManager.default
    for directory in [folder.path + "/models--x/blobs", snapshot + "/1_Pooling"] {
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    try files.moveItem(
      atPath: source + "/model.safetensors", toPath: folder.path + "/models--x/blobs/a")
    try folder.write("models--x/blobs/b", Array("pooling".utf8))
    try files.createSymbolicLink(
      atPath: snapshot + "/model.safetensors", withDestinationPath: "../../blobs/a")
    try files.createSymbolicLink(
      atPath: snapshot + "/1_Pooling/config.json", withDestinationPath: "../../../blobs/b")
    try convert(snapshot, to: folder.path + "/out")
    #expect(try folder.bytes("out/1_Pooling/config.json") == Array("pooling".utf8))

    let secret = "1_Pooling/secret.json"
    try folder.write("secret.json", [1])
    try files.createSymbolicLink(
      atPath: snapshot + "/" + secret, withDestinationPath: folder.path + "/secret.json")
    #expect(
      throws: SourceError.leavesDirectory(path: snapshot + "/" + secret, name: "secret.json")
    ) { try convert(snapshot, to: folder.path + "/again") }
  }
}
