import Formats
import Foundation
import Testing

@testable import Convert

/// PEQA: tuned scales take the place of packed ones.
@Suite struct ScaleTuningTests {
  private let folder: TemporaryFolder
  private static let config = #"{"peft_type": "PEQA"}"#

  init() throws { folder = try TemporaryFolder() }

  private var base: String { folder.path + "/base" }
  private var adapter: String { folder.path + "/adapter" }
  private var merged: String { folder.path + "/merged" }

  private func writeBase() throws {
    try writePacked(
      [
        (
          "p", AffineLayout(bits: 4, groupSize: 32)!,
          [
            TestTensor("p.weight", .u32, [2, 8], bytes: [UInt8](repeating: 0x53, count: 64)),
            TestTensor("p.scales", .f32, [2, 2], values: [0.5, -0.25, 0, 2]),
            TestTensor("p.biases", .f32, [2, 2], values: [-4, 1, 3, 0]),
          ]
        )
      ], to: base)
  }

  /// Zero points -b / s are 8, 4, none and 0; they stay, so b' = -s' · z.
  @Test func scalesAreReplacedAndZeroPointsStay() throws {
    try writeBase()
    try writeAdapter(
      [TestTensor("p.scales", .f32, [2, 2], values: [0.75, -0.5, 0.125, 1])],
      config: Self.config, to: adapter)
    let result = try merge(base, [.init(path: adapter)], to: merged)
    let checkpoint = try Checkpoint(path: merged)
    #expect(try values("p.scales", in: checkpoint) == [0.75, -0.5, 0.125, 1])
    #expect(try values("p.biases", in: checkpoint) == [-6, 2, 3, 0])
    #expect(try checkpoint.bytes("p.weight") == [UInt8](repeating: 0x53, count: 64))
    #expect(result.canBeUndone && result.probe.moduleCount == 0)
    #expect(try validate(merged) == [])
    try undo(merged, to: folder.path + "/undone")
    #expect(
      try folder.bytes("undone/model.safetensors") == folder.bytes("base/model.safetensors"))
  }

  @Test func convertingWithTunedScalesIsConvertingThenMerging() throws {
    let sample = AdapterFixture.samples + "/small"
    try AdapterFixture.writePackedSample(in: folder)
    let module = "model.layers.2.mlp.up_proj"
    let scales = try values(module + ".scales", in: Checkpoint(path: base))
    try writeAdapter(
      [TestTensor(module + ".scales", .f32, [384, 4], values: scales.map { $0 * 1.03 })],
      config: Self.config, to: adapter)
    try merge(base, [.init(path: adapter)], to: merged)
    let adapters = try AdapterSet([.init(path: adapter)], pooling: nil)
    let plan = try ConversionPlan(
      Checkpoint(path: sample), options: .groups32, adapters: adapters)
    _ = try Conversion(plan, target: OutputTarget(path: folder.path + "/direct")).run(
      replacing: false, RunContext(threads: 2))
    let (first, second) = try (
      Checkpoint(path: merged), Checkpoint(path: folder.path + "/direct")
    )
    for part in ["weight", "scales", "biases"] {
      let same = try first.bytes("\(module).\(part)") == second.bytes("\(module).\(part)")
      #expect(same, "\(part)")
    }
    let before = try Checkpoint(path: base)
    #expect(try first.bytes(module + ".scales") != before.bytes(module + ".scales"))
    #expect(try first.bytes(module + ".weight") == before.bytes(module + ".weight"))
    let findings = try Validator(path: merged).run(
      against: sample, adapters: adapters, RunContext(threads: 2))
    #expect(findings == [])
  }

  @Test func scalesOfOtherGroupsAreRefused() throws {
    try writeBase()
    for shape in [[2, 1], [1, 2], [4]] {
      try? FileManager.default.removeItem(atPath: adapter)
      try writeAdapter(
        [
          TestTensor(
            "p.scales", .f32, shape, values: [Float](repeating: 1, count: shape.reduce(1, *)))
        ], config: Self.config, to: adapter)
      #expect(throws: MergeError.self, "\(shape)") {
        try merge(base, [.init(path: adapter)], to: merged)
      }
      #expect(!FileStatus.exists(merged))
    }
  }

  @Test func onlyPEQAHasScalesAndNothingElse() throws {
    try writeAdapter(
      [TestTensor("p.scales", .f32, [2, 2], values: [1, 1, 1, 1])], to: adapter)
    let weights = adapter + "/adapter_model.safetensors"
    #expect(
      throws: AdapterError.unknownTensor(path: weights, tensor: "base_model.model.p.scales")
    ) { try Adapter(path: adapter) }
    try writeAdapter(
      [TestTensor("p.weight", .f32, [2, 2], values: [1, 1, 1, 1])], config: Self.config,
      to: adapter)
    #expect(
      throws: AdapterError.unknownTensor(path: weights, tensor: "base_model.model.p.weight")
    ) { try Adapter(path: adapter) }
  }
}
