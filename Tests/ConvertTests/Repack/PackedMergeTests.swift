import Formats
import Foundation
import Testing

@testable import Convert

/// Merging into packed checkpoints: what changes, what does not, and what is refused.
@Suite struct PackedMergeTests {
  private let folder: TemporaryFolder
  private static let layout = AffineLayout(bits: 4, groupSize: 32)!

  init() throws { folder = try TemporaryFolder() }

  private var base: String { folder.path + "/base" }
  private var merged: String { folder.path + "/merged" }
  private var adapter: String { folder.path + "/adapter" }

  /// A module `p` of 2 outputs and 64 inputs: all codes 0, scales 1, biases 0.5, 1, 1.5, 2; beside
  /// it an additive bias.
  private func writeBase(layout: AffineLayout = layout, type: ScaleType = .f32) throws {
    let groups = 64 / layout.groupSize
    let biases = (0..<2 * groups).map { Float($0 + 1) / 2 }
    try writePacked(
      [
        (
          "p", layout,
          [
            TestTensor("p.weight", .u32, [2, 8], bytes: [UInt8](repeating: 0, count: 64)),
            TestTensor(
              "p.scales", type, [2, groups], values: biases.map { _ in 1 }),
            TestTensor("p.biases", type, [2, groups], values: biases),
          ]
        )
      ], raw: [TestTensor("p.bias", type, [2], values: [3, 4])], to: base)
  }

  /// A = [[1, 2], [3, 4]] over pooled inputs, B = [[1, 0], [0, 1]].
  private func pair(a: [Float] = [1, 2, 3, 4], columns: Int = 2) -> [TestTensor] {
    [
      TestTensor("p.lora_A.weight", .f32, [2, columns], values: a),
      TestTensor("p.lora_B.weight", .f32, [2, 2], values: [1, 0, 0, 1]),
    ]
  }

  private func mergedBiases(_ output: String? = nil) throws -> [Float] {
    try values("p.biases", in: Checkpoint(path: output ?? merged))
  }

  /// Scaling is alpha / r = 1, so b' = b + k · A, with k = 1, 1/32 and (64/32)/32.
  @Test(arguments: [
    (PoolingConvention.sum, [1.5, 3, 4.5, 6] as [Float]),
    (.mean, [0.53125, 1.0625, 1.59375, 2.125]),
  ])
  func handComputedBiases(pooling: PoolingConvention, expected: [Float]) throws {
    try writeBase()
    try writeAdapter(pair(), to: adapter)
    let result = try merge(base, [.init(path: adapter)], pooling: pooling, to: merged)
    #expect(try mergedBiases() == expected)
    #expect(result.rounding == BiasRounding(count: 4, largest: 0, largestInSteps: 0))
    #expect(result.probe.moduleCount == 1 && result.probe.outputCount == 8)
    #expect(try values("p.bias", in: Checkpoint(path: merged)) == [3, 4])
  }

  @Test func peftsOwnMarkSettlesTheConvention() throws {
    try writeBase()
    let config =
      #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "use_qalora": true, "qalora_group_size": 32}"#
    try writeAdapter(pair(), config: config, to: adapter)
    try merge(base, [.init(path: adapter)], to: merged)
    #expect(try mergedBiases() == [0.5625, 1.125, 1.6875, 2.25])
    #expect(
      throws: MergeError.poolingContradicts(adapter: adapter, chosen: .mean)
    ) { try merge(base, [.init(path: adapter)], pooling: .mean, to: folder.path + "/no") }
  }

  /// One pooled group of 64 covers two packed ones: each moves by the same amount.
  @Test func aPooledGroupMayCoverSeveralPackedOnes() throws {
    try writeBase()
    try writeAdapter(pair(a: [1, 3], columns: 1), to: adapter)
    try merge(base, [.init(path: adapter)], pooling: .sum, to: merged)
    #expect(try mergedBiases() == [1.5, 2, 4.5, 5])
  }

  @Test func adaptersAddUpWithTheirWeights() throws {
    try writeBase()
    try writeAdapter(pair(), to: adapter)
    try writeAdapter(pair(a: [8, 8, 8, 8]), to: folder.path + "/other")
    try merge(
      base, [.init(path: adapter, weight: 0.5), .init(path: folder.path + "/other", weight: 0.25)],
      pooling: .sum, to: merged)
    #expect(try mergedBiases() == [3, 4, 5, 6])
    let record = try #require(
      PackedCheckpoint(Checkpoint(path: merged)).manifests.first?.adapters?.merged)
    #expect(record.map(\.name) == ["adapter", "other"] && record.map(\.weight) == [0.5, 0.25])
    let weights = try folder.bytes("other/adapter_model.safetensors")
    #expect(record[1].checksum == XXH64.digest(weights))
    #expect(
      record[0].modules == [
        .init(
          name: "p", kind: "qalora", rank: 2, alpha: 2, scaling: 1, pooling: "sum", groupSize: 32)
      ])
  }

  /// 2049 + 2^-10 lies a hair above the tie of 2048 and 2050 in F16; rounded to F32 first it stays
  /// above, and 2049 + 2^-40 would not.
  @Test(
    arguments: [(0x1p-10, 2050), (0x1p-40, 2050), (-0x1p-40, 2048), (0, 2048)] as [(Double, Float)])
  func biasesAreRoundedOnce(offset: Double, expected: Float) {
    #expect(ScaleType.f16.round(2049 + offset) == expected)
  }

  @Test func biasesOfItsOwnReplaceThoseOfTheBase() throws {
    try writeBase(type: .f16)
    let config = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "lora_only"}"#
    try writeAdapter(
      pair() + [TestTensor("p.base_layer.bias", .f32, [2], values: [0.25, -7])], config: config,
      to: adapter)
    try merge(base, [.init(path: adapter)], pooling: .mean, to: merged)
    #expect(try values("p.bias", in: Checkpoint(path: merged)) == [0.25, -7])
    try undo(merged, to: folder.path + "/undone")
    #expect(
      try folder.bytes("undone/model.safetensors") == folder.bytes("base/model.safetensors"))
  }

  @Test func biasOfBIsScaledAndAdded() throws {
    try writeBase()
    let config = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "lora_bias": true}"#
    try writeAdapter(
      pair() + [TestTensor("p.lora_B.bias", .f32, [2], values: [0.5, 1])], config: config,
      to: adapter)
    try merge(base, [.init(path: adapter)], pooling: .mean, to: merged)
    #expect(try values("p.bias", in: Checkpoint(path: merged)) == [4.5, 7])
  }

  @Test func undoRestoresEveryByte() throws {
    try AdapterFixture.writePackedSample(in: folder)
    let sample = AdapterFixture.samples + "/adapter"
    for type in [nil, ScaleType.f32] {
      let output = merged + (type?.rawValue ?? "")
      try merge(base, [.init(path: sample)], pooling: .mean, biasType: type, to: output)
      #expect(try validate(output) == [])
      let undone = output + "-undone"
      try undo(output, to: undone)
      for name in ["model.safetensors", "config.json", "tokenizer.json"] {
        let same =
          try Data(contentsOf: URL(fileURLWithPath: undone + "/" + name))
          == Data(contentsOf: URL(fileURLWithPath: base + "/" + name))
        #expect(same, "\(name)")
      }
      #expect(!FileStatus.exists(undone + "/decant-unmerged.safetensors"))
    }
  }

  @Test func bytesDoNotDependOnTheNumberOfThreads() throws {
    try AdapterFixture.writePackedSample(in: folder)
    let sample = AdapterFixture.samples + "/adapter"
    for threads in [1, 5] {
      try merge(
        base, [.init(path: sample)], pooling: .mean, to: merged + "\(threads)", threads: threads)
    }
    for name in ["model.safetensors", "decant-unmerged.safetensors"] {
      #expect(try folder.bytes("merged1/" + name) == folder.bytes("merged5/" + name))
    }
  }

  @Test func shardsStayShards() throws {
    var options = ConversionOptions.groups32
    options.shardLimit = 200_000
    try convert(AdapterFixture.samples + "/small", to: base, options: options)
    try merge(
      base, [.init(path: AdapterFixture.samples + "/adapter")], pooling: .mean, to: merged)
    let packed = try PackedCheckpoint(Checkpoint(path: merged))
    #expect(packed.manifests.count > 1 && packed.manifests.allSatisfy { $0.adapters != nil })
    #expect(try validate(merged) == [])
    try undo(merged, to: folder.path + "/undone")
    for name in packed.checkpoint.fileNames {
      #expect(try folder.bytes("undone/" + name) == folder.bytes("base/" + name))
    }
  }

  @Test func oneFileCannotBeUndoneAndSaysSo() throws {
    try writeBase()
    try writeAdapter(pair(), to: adapter)
    let file = merged + ".safetensors"
    let result = try merge(base, [.init(path: adapter)], pooling: .sum, to: file)
    #expect(!result.canBeUndone)
    #expect(try validate(file) == [])
    #expect(throws: MergeError.originalsMissing(path: file)) {
      try undo(file, to: folder.path + "/undone")
    }
    #expect(throws: MergeError.nothingMerged(path: base)) {
      try undo(base, to: folder.path + "/undone")
    }
  }

  @Test func keptOriginalsAreHeldToTheirChecksums() throws {
    try writeBase()
    try writeAdapter(pair(), to: adapter)
    try merge(base, [.init(path: adapter)], pooling: .sum, to: merged)
    var bytes = try folder.bytes("merged/decant-unmerged.safetensors")
    bytes[bytes.count - 1] ^= 1
    try folder.write("merged/decant-unmerged.safetensors", bytes)
    #expect(throws: PackedError.self) { try undo(merged, to: folder.path + "/undone") }
    #expect(!FileStatus.exists(folder.path + "/undone"))
    #expect(try validate(merged).map(\.rule) == ["originals"])
    try FileManager.default.removeItem(atPath: merged + "/decant-unmerged.safetensors")
    #expect(try validate(merged) == [])
    #expect(throws: MergeError.originalsMissing(path: merged)) {
      try undo(merged, to: folder.path + "/undone")
    }
  }
}

extension ConversionOptions {
  /// The form that the sample adapter was trained on.
  static var groups32: ConversionOptions {
    var options = ConversionOptions()
    options.groupSize = 32
    options.method = .minmax
    return options
  }
}
