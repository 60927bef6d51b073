import Formats
import Foundation
import Testing

@testable import Convert

/// Adapters merged while converting: into float weights, against merges of PEFT and of mlx-lm.
@Suite struct FloatMergeTests {
  private static let vectors = [
    "lora_patterns", "lora_rslora", "lora_modules_to_save_bias", "dora", "lora_embedding",
    "qalora_flag_on_float_linear", "mlx_lora", "mlx_dora",
  ]
  private let folder: TemporaryFolder
  private var source: String { folder.path + "/source" }

  init() throws { folder = try TemporaryFolder() }

  /// Writes one side of a vector's state dictionary as a checkpoint.
  private func write(_ side: String, of vector: String, to directory: String) throws {
    let expected = try Checkpoint(
      path: AdapterFixture.path(vector + "/expected_merge.safetensors"))
    let names = expected.tensors.map(\.name).filter { $0.hasPrefix(side + ".") }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try writeSafetensors(
      names.map { try expected.testTensor($0, as: String($0.dropFirst(side.count + 1))) },
      to: directory + "/model.safetensors")
  }

  private func convert(
    _ source: String, _ adapters: [AdapterRequest], options: ConversionOptions,
    pooling: PoolingConvention? = nil, to output: String, threads: Int = 2
  ) throws -> ConversionPlan {
    let plan = try ConversionPlan(
      Checkpoint(path: source), options: options,
      adapters: adapters.isEmpty ? nil : AdapterSet(adapters, pooling: pooling))
    _ = try Conversion(plan, target: OutputTarget(path: output)).run(
      replacing: false, RunContext(threads: threads))
    return plan
  }

  /// Everything kept, so that what is stored is the merge itself.
  private func keepAll() throws -> ConversionOptions {
    var options = ConversionOptions()
    options.keep = [try NamePattern("*")]
    options.minimumCoverage = 0
    return options
  }

  @Test(arguments: vectors)
  func keptWeightsAreThoseThatItsProgramMerges(vector: String) throws {
    try write("base", of: vector, to: source)
    let adapter = try AdapterFixture.path(vector)
    _ = try convert(
      source, [.init(path: adapter)], options: keepAll(), to: folder.path + "/merged")
    let expected = try Checkpoint(
      path: AdapterFixture.path(vector + "/expected_merge.safetensors"))
    let merged = try Checkpoint(path: folder.path + "/merged")
    var changed = 0
    for tensor in merged.tensors {
      let found = try values(tensor.name, in: merged)
      let wanted = try values("merged." + tensor.name, in: expected)
      let before = try values("base." + tensor.name, in: expected)
      let difference = zip(found, wanted).map { abs($0 - $1) }.max() ?? 0
      #expect(difference <= 1e-6, "\(tensor.name)")
      if zip(before, wanted).contains(where: { abs($0 - $1) > 1e-3 }) { changed += 1 }
    }
    #expect(changed > 0)
    let findings = try Validator(
      path: folder.path + "/merged"
    ).run(
      against: source, adapters: AdapterSet([.init(path: adapter)], pooling: nil),
      RunContext(threads: 2))
    #expect(findings == [])
  }

  /// Converting base + adapter and converting what its program merged measure the same weights.
  @Test(arguments: vectors)
  func quantizedWeightsAreThoseThatItsProgramMerges(vector: String) throws {
    try write("base", of: vector, to: source)
    try write("merged", of: vector, to: folder.path + "/peft")
    var options = ConversionOptions()
    options.bits = 8
    options.groupSize = 32
    _ = try convert(
      source, [.init(path: AdapterFixture.path(vector))], options: options,
      to: folder.path + "/a")
    _ = try convert(folder.path + "/peft", [], options: options, to: folder.path + "/b")
    let ours = try PackedCheckpoint(Checkpoint(path: folder.path + "/a"))
    let theirs = try PackedCheckpoint(Checkpoint(path: folder.path + "/b"))
    let pairs = zip(ours.tensors, theirs.tensors).filter { $0.0.entry.error != nil }
    #expect(pairs.count > 2)
    for (our, their) in pairs {
      let (a, b) = try (#require(our.entry.error), #require(their.entry.error))
      #expect(our.entry.name == their.entry.name)
      #expect(abs(a.squaredNorm - b.squaredNorm) <= 1e-5 * b.squaredNorm, "\(our.entry.name)")
      #expect(abs(a.squaredError - b.squaredError) <= 1e-2 * b.squaredError, "\(our.entry.name)")
    }
  }

  /// W = [[1, 2], …] with two adapters of rank 1, by hand: W + 0.5·2·B·A + 0.25·2·B·A.
  @Test func adaptersAddUpByHand() throws {
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
    try writeSafetensors(
      [TestTensor("p.weight", .f32, [2, 2], values: [1, 2, 3, 4])],
      to: source + "/model.safetensors")
    let config = #"{"peft_type": "LORA", "r": 1, "lora_alpha": 2}"#
    for (name, a) in [("a", [1, 10] as [Float]), ("b", [4, 0])] {
      try writeAdapter(
        [
          TestTensor("p.lora_A.weight", .f32, [1, 2], values: a),
          TestTensor("p.lora_B.weight", .f32, [2, 1], values: [1, -1]),
        ], config: config, to: folder.path + "/" + name)
    }
    _ = try convert(
      source,
      [
        .init(path: folder.path + "/a", weight: 0.5), .init(path: folder.path + "/b", weight: 0.25),
      ], options: keepAll(), to: folder.path + "/merged")
    #expect(
      try values("p.weight", in: Checkpoint(path: folder.path + "/merged")) == [4, 12, 0, -6])
  }

  /// GPT-2 stores `[in, out]`: the update is transposed with it.
  @Test func inputMajorWeightsGetATransposedUpdate() throws {
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
    let name = "h.0.attn.c_attn"
    let base = TestTensor(random: name + ".weight", .f32, [32, 96], seed: 1)
    try writeSafetensors([base], to: source + "/model.safetensors")
    let a = TestTensor(random: name + ".lora_A.weight", .f32, [2, 32], seed: 2)
    let b = TestTensor(random: name + ".lora_B.weight", .f32, [96, 2], seed: 3)
    try writeAdapter(
      [a, b],
      config: #"{"peft_type": "LORA", "r": 2, "lora_alpha": 200, "fan_in_fan_out": true}"#,
      to: folder.path + "/adapter")
    var options = ConversionOptions()
    options.bits = 8
    options.groupSize = 32
    let request = AdapterRequest(path: folder.path + "/adapter")
    let plan = try convert(source, [request], options: options, to: folder.path + "/merged")
    #expect(plan.tensors[0].identity.order == .inputMajor)
    try unpack(folder.path + "/merged", to: folder.path + "/plain")
    let found = try values(name + ".weight", in: Checkpoint(path: folder.path + "/plain"))
    let before = try values(name + ".weight", in: Checkpoint(path: source))
    let adapter = try Adapter(path: request.path)
    let pair = try #require(adapter.modules[0].pair)
    let (av, bv) = try (adapter.values(of: pair.a), adapter.values(of: pair.b))
    var largest: Float = 0
    for input in 0..<32 {
      for output in 0..<96 {
        let delta = 100 * (bv[2 * output] * av[input] + bv[2 * output + 1] * av[32 + input])
        largest = max(
          largest, abs(found[input * 96 + output] - before[input * 96 + output] - delta))
      }
    }
    // Weights up to about 2 in 8 bits: half a step is below 0.01, and updates reach 1.
    #expect(largest < 0.01)
  }

  /// The two ways to a merged QA-LoRA checkpoint store the same bytes.
  @Test(arguments: [nil, ScaleType.f32])
  func convertingWithAnAdapterIsConvertingThenMerging(biasType: ScaleType?) throws {
    let sample = AdapterFixture.samples + "/small"
    let adapter = AdapterRequest(path: AdapterFixture.samples + "/adapter")
    var options = ConversionOptions.groups32
    options.biasType = biasType
    _ = try convert(
      sample, [adapter], options: options, pooling: .mean, to: folder.path + "/direct")
    try AdapterFixture.writePackedSample(in: folder)
    try merge(
      folder.path + "/base", [adapter], pooling: .mean, biasType: biasType,
      to: folder.path + "/merged")
    let direct = try Checkpoint(path: folder.path + "/direct")
    let merged = try Checkpoint(path: folder.path + "/merged")
    #expect(direct.tensors.map(\.name) == merged.tensors.map(\.name))
    for tensor in direct.tensors {
      let same = try direct.bytes(tensor.name) == merged.bytes(tensor.name)
      #expect(same, "\(tensor.name)")
    }
    #expect(throws: MergeError.originalsMissing(path: folder.path + "/direct")) {
      try undo(folder.path + "/direct", to: folder.path + "/undone")
    }
  }

  @Test func groupsThatDoNotFitAreMergedBeforeQuantizationOnRequest() throws {
    let sample = AdapterFixture.samples + "/small"
    let adapter = AdapterRequest(path: AdapterFixture.samples + "/adapter")
    var options = ConversionOptions()
    #expect(throws: MergeError.self) {
      try convert(
        sample, [adapter], options: options, pooling: .mean, to: folder.path + "/refused")
    }
    options.mergesMismatchedGroups = true
    options.bits = 8
    _ = try convert(
      sample, [adapter], options: options, pooling: .mean, to: folder.path + "/requantized")
    var exact = ConversionOptions.groups32
    exact.bits = 8
    _ = try convert(
      sample, [adapter], options: exact, pooling: .mean, to: folder.path + "/exact")
    for name in ["requantized", "exact"] {
      try unpack(folder.path + "/" + name, to: folder.path + "/" + name + "-plain")
    }
    let tensor = "model.layers.1.mlp.up_proj.weight"
    let a = try values(tensor, in: Checkpoint(path: folder.path + "/requantized-plain"))
    let b = try values(tensor, in: Checkpoint(path: folder.path + "/exact-plain"))
    let base = try values(tensor, in: Checkpoint(path: sample))
    func distance(_ x: [Float], _ y: [Float]) -> Float {
      zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    // Two quantizations of one merged weight lie far closer to each other than to the base.
    #expect(distance(a, b) < 0.05 * distance(a, base))
  }

  @Test func bytesDoNotDependOnTheNumberOfThreads() throws {
    try write("base", of: "dora", to: source)
    let adapter = try AdapterRequest(path: AdapterFixture.path("dora"))
    for threads in [1, 4] {
      _ = try convert(
        source, [adapter], options: .groups32, to: folder.path + "/out\(threads)",
        threads: threads)
    }
    #expect(
      try folder.bytes("out1/model.safetensors") == folder.bytes("out4/model.safetensors"))
  }

  @Test func validationNoticesOtherAdaptersAndOtherBytes() throws {
    try write("base", of: "dora", to: source)
    let dora = try AdapterRequest(path: AdapterFixture.path("dora"))
    let other = try AdapterRequest(path: AdapterFixture.path("qalora_flag_on_float_linear"))
    _ = try convert(source, [dora], options: .groups32, to: folder.path + "/merged")
    func rules(_ adapters: [AdapterRequest]) throws -> Set<String> {
      let set = adapters.isEmpty ? nil : try AdapterSet(adapters, pooling: nil)
      return Set(
        try Validator(path: folder.path + "/merged")
          .run(against: source, adapters: set, RunContext(threads: 2)).map(\.rule))
    }
    #expect(try rules([dora]) == [])
    #expect(try rules([]) == ["adapters"])
    #expect(try rules([other]) == ["adapters", "source"])
    _ = try convert(source, [], options: .groups32, to: folder.path + "/plain")
    try FileManager.default.removeItem(atPath: folder.path + "/merged")
    try FileManager.default.moveItem(
      atPath: folder.path + "/plain", toPath: folder.path + "/merged")
    #expect(try rules([dora]) == ["adapters", "source"])
  }
}
