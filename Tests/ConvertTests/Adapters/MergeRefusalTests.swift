import Formats
import Foundation
import Testing

@testable import Convert

/// What cannot be merged into a packed checkpoint is refused before anything is written.
@Suite struct MergeRefusalTests {
  private let folder: TemporaryFolder
  private var base: String { folder.path + "/base" }
  private var adapter: String { folder.path + "/adapter" }

  /// A module `p` of 4 outputs and 64 inputs in groups of 32, and a norm that is kept.
  init() throws {
    folder = try TemporaryFolder()
    try writePacked(
      [
        (
          "p", AffineLayout(bits: 4, groupSize: 32)!,
          [
            TestTensor("p.weight", .u32, [4, 8], bytes: [UInt8](repeating: 0, count: 128)),
            TestTensor("p.scales", .f16, [4, 2], values: [Float](repeating: 1, count: 8)),
            TestTensor("p.biases", .f16, [4, 2], values: [Float](repeating: 60000, count: 8)),
          ]
        )
      ], raw: [TestTensor("norm.weight", .f32, [4], values: [1, 1, 1, 1])],
      to: folder.path + "/base")
  }

  private func pair(
    _ module: String = "p", columns: Int = 2, outputs: Int = 4, value: Float = 1
  ) -> [TestTensor] {
    [
      TestTensor(
        module + ".lora_A.weight", .f32, [2, columns],
        values: [Float](repeating: value, count: 2 * columns)),
      TestTensor(
        module + ".lora_B.weight", .f32, [outputs, 2],
        values: [Float](repeating: 1, count: 2 * outputs)),
    ]
  }

  private func expect(
    _ error: MergeError, _ tensors: [TestTensor], pooling: PoolingConvention? = .mean,
    biasType: ScaleType? = nil,
    config: String = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2}"#,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try writeAdapter(tensors, config: config, to: adapter)
    #expect(throws: error, sourceLocation: sourceLocation) {
      try merge(
        base, [.init(path: adapter)], pooling: pooling, biasType: biasType,
        to: folder.path + "/merged")
    }
    #expect(!FileStatus.exists(folder.path + "/merged"), sourceLocation: sourceLocation)
    #expect(error.message.isEmpty == false, sourceLocation: sourceLocation)
  }

  @Test func anAmbiguousConventionExplainsTheChoice() throws {
    let error = MergeError.ambiguousPooling(adapter: adapter, module: "p", inputs: 64, group: 32)
    try expect(error, pair(), pooling: nil)
    #expect(error.message.contains("0.03125 (mean), 1.0 (sum), 0.0625 (peft)"))
    #expect(error.hint?.contains("--pooling") == true)
  }

  @Test func aChoiceThatNothingNeedsIsAMistake() throws {
    try expect(.nothingPooled(chosen: .mean), pair(columns: 64))
  }

  @Test func modulesThatTheBaseLacksAreNamed() throws {
    try expect(
      .moduleMissing(adapter: adapter, module: "q", tensor: "q.weight"), pair() + pair("q"))
    try expect(
      .moduleMissing(adapter: adapter, module: "p", tensor: "p.bias"),
      pair() + [TestTensor("p.base_layer.bias", .f32, [4], values: [1, 2, 3, 4])])
  }

  @Test func ordinaryLoRANeedsTheFloatWeights() throws {
    try expect(
      .needsFloatBase(adapter: adapter, module: "p", what: "an ordinary LoRA pair"),
      pair(columns: 64), pooling: nil)
    try expect(
      .needsFloatBase(adapter: adapter, module: "p", what: "a weight of its own"),
      [TestTensor(random: "p.weight", .f32, [4, 64], seed: 1)], pooling: nil)
  }

  @Test func groupsThatDoNotCoverPackedOnesAreRefused() throws {
    // 4 columns: groups of 16 inputs, and the base packs 32.
    try expect(
      .groupMismatch(adapter: adapter, module: "p", pooled: 16, packed: 32), pair(columns: 4))
  }

  @Test func aConfiguredGroupSizeMustBeTheFoundOne() throws {
    try expect(
      .groupSizeContradicts(adapter: adapter, module: "p", found: 32, configured: 64), pair(),
      pooling: nil,
      config:
        #"{"peft_type": "LORA", "r": 2, "use_qalora": true, "qalora_group_size": 64}"#)
  }

  @Test func shapesThatDoNotFitTheBaseAreNamed() throws {
    let b = "base_model.model.p.lora_B.weight"
    try expect(
      .wrongShape(
        adapter: adapter, tensor: b, shape: [5, 2], base: "p.weight", expected: "[4, 2]"),
      pair(outputs: 5))
    try expect(
      .transposed(adapter: adapter, tensor: b, shape: [64, 2], base: "p.weight"),
      pair(columns: 4, outputs: 64))
    try expect(
      .wrongShape(
        adapter: adapter, tensor: "base_model.model.p.lora_A.weight", shape: [2, 3],
        base: "p.weight", expected: "[2, 64], or a whole fraction of the inputs"),
      pair(columns: 3))
  }

  @Test func aBiasBeyondItsTypeIsRefusedAndF32Holds() throws {
    // 60000 + 2 · 2^14 / 32 · 8 exceeds 65504.
    let tensors = pair(value: 0x1p17)
    try expect(.overflow(tensor: "p.biases", index: 0, type: .f16), tensors)
    let output = folder.path + "/f32"
    try merge(base, [.init(path: adapter)], pooling: .mean, biasType: .f32, to: output)
    #expect(try values("p.biases", in: Checkpoint(path: output))[0] == 60000 + 2 * 0x1p17 / 32)
  }

  @Test func aMergedCheckpointIsNotMergedIntoAgain() throws {
    try writeAdapter(pair(), to: adapter)
    let merged = folder.path + "/once"
    try merge(base, [.init(path: adapter)], pooling: .mean, to: merged)
    #expect(throws: MergeError.alreadyMerged(path: merged, adapters: ["adapter"])) {
      try merge(merged, [.init(path: adapter)], pooling: .mean, to: folder.path + "/twice")
    }
  }

  @Test func damagedBiasesAreNotMergedInto() throws {
    try writeAdapter(pair(), to: adapter)
    let intact = try folder.bytes("base/model.safetensors")
    let file = try SafetensorsFile(path: base + "/model.safetensors")
    for tensor in file.header.tensors {
      var bytes = intact
      bytes[file.header.dataOffset + tensor.dataRange.lowerBound] ^= 1
      try folder.write("base/model.safetensors", bytes)
      let error = #expect(throws: PackedError.self, "\(tensor.name)") {
        try merge(base, [.init(path: adapter)], pooling: .mean, to: folder.path + "/merged")
      }
      #expect(error?.rule == .checksum && error?.tensor == tensor.name)
      #expect(!FileStatus.exists(folder.path + "/merged"))
    }
  }

  /// A merge writes what the manifest names; anything else would be lost.
  @Test func tensorsThatTheManifestDoesNotNameStopTheMerge() throws {
    let odd = folder.path + "/odd"
    try writePacked(
      [], raw: [TestTensor("p.bias", .f32, [1], values: [1])],
      unnamed: [TestTensor("extra", .f32, [1], values: [1])], to: odd)
    try writeAdapter(
      [TestTensor("p.bias", .f32, [1], values: [2])], to: folder.path + "/bias")
    #expect(
      throws: PackedError.unnamedTensor(file: odd + "/model.safetensors", tensor: "extra")
    ) { try merge(odd, [.init(path: folder.path + "/bias")], to: folder.path + "/merged") }
  }

  @Test func outputMayNotTouchTheAdapter() throws {
    try writeAdapter(pair(), to: adapter)
    #expect(throws: OutputError.isSource(output: adapter + "/out", source: adapter)) {
      try merge(base, [.init(path: adapter)], pooling: .mean, to: adapter + "/out")
    }
  }

  @Test(arguments: ["a=b", "=1", "x=nan", "x=0", "x=1e999"])
  func badRequestsAreErrors(text: String) {
    #expect(throws: MergeError.badRequest(text)) { try AdapterRequest(parsing: text) }
  }

  @Test func requestsHaveWeights() throws {
    #expect(try AdapterRequest(parsing: "a=0.7") == AdapterRequest(path: "a", weight: 0.7))
    #expect(try AdapterRequest(parsing: "a=b=-2") == AdapterRequest(path: "a=b", weight: -2))
    #expect(try AdapterRequest(parsing: "dir") == AdapterRequest(path: "dir", weight: 1))
    let named = folder.path + "/x=0.5"
    try FileManager.default.createDirectory(atPath: named, withIntermediateDirectories: false)
    #expect(try AdapterRequest(parsing: named) == AdapterRequest(path: named, weight: 1))
  }
}
