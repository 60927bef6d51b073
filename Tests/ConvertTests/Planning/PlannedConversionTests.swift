import Formats
import Foundation
import Testing

@testable import Convert

/// From a plan on disk to a packed model.
@Suite struct PlannedConversionTests {
  /// Writes the plan as `decant plan` does, converts with it as `decant convert --plan` does, and
  /// returns what the planner had predicted.
  private static func convert(
    _ bitPlan: BitPlan, of planner: BitPlanner, in folder: TemporaryFolder, to name: String
  ) throws -> Int {
    let predicted = try planner.outputByteCount(bitPlan)
    try folder.write(
      name + ".json", Array(bitPlan.json(predictedByteCount: predicted).prettyText.utf8))
    var options = ConversionOptions()
    options.plan = try BitPlan(path: folder.path + "/" + name + ".json")
    try ConvertTests.convert(SampleModel.path, to: folder.path + "/" + name, options: options)
    return predicted
  }

  @Test(arguments: [560_000, 655_000, 900_000]) func aSizeIsPredictedToTheByte(
    _ size: Int
  ) throws {
    let folder = try TemporaryFolder()
    let planner = try SampleModel.planner()
    let bitPlan = try planner.plan(.size(size))
    let predicted = try Self.convert(bitPlan, of: planner, in: folder, to: "out")
    #expect(try folder.byteCount(of: "out") == predicted)
    #expect(predicted <= size)
    // The smallest step between two widths of the smallest tensor is no larger than this.
    #expect(predicted > size - 2048)
    #expect(folder.entries.contains("out/tokenizer.json"))
    #expect(folder.entries.contains("out/config.json"))
    #expect(try validate(folder.path + "/out", against: SampleModel.path) == [])
  }

  @Test func everyTensorIsStoredAsPlannedAndTheManifestSaysSo() throws {
    let folder = try TemporaryFolder()
    let planner = try SampleModel.planner()
    let bitPlan = try planner.plan(.bitsPerWeight(4.25))
    _ = try Self.convert(bitPlan, of: planner, in: folder, to: "out")
    let packed = try Checkpoint(path: folder.path + "/out")
    let manifest = try PackedCheckpoint.manifest(of: packed.files[0])
    let layouts = Dictionary(uniqueKeysWithValues: bitPlan.choices.map { ($0.name, $0.layout) })
    #expect(Set(layouts.values).count > 2)
    for entry in manifest.tensors {
      guard case .affine(let layout) = entry.layout else {
        #expect(layouts[entry.name] == nil)
        continue
      }
      #expect(layouts[entry.name] == layout, "\(entry.name)")
      #expect(entry.method == "minmax")
    }
    let record = try #require(manifest.plan)
    #expect(record["request"] == ["target_bpw": "4.25"])
    #expect(record["totals"]?["tensor_bytes"]?.intValue == bitPlan.totals.tensorByteCount)
    let tensors = try #require(record["tensors"]?.arrayValue)
    #expect(tensors.map { $0["name"]?.stringValue } == bitPlan.choices.map(\.name))
    #expect(tensors.map { $0["bits"]?.intValue } == bitPlan.choices.map { $0.layout?.bits })
    #expect(tensors.map { $0["reason"]?.stringValue } == bitPlan.choices.map(\.reason))
    let stored = packed.tensors.reduce(0) { $0 + $1.info.byteCount }
    #expect(stored == bitPlan.totals.tensorByteCount)
  }

  /// Patterns have done their work when the plan stands: a conversion with it is not given them.
  @Test func overridesAndKeptTensorsArePartOfThePlan() throws {
    let folder = try TemporaryFolder()
    var candidateOptions = SampleModel.candidateOptions
    candidateOptions.bits = [3, 4]
    candidateOptions.overrides = [
      try .init(parsing: "lm_head=8:32"), try .init(parsing: "*.layers.0.*=6"),
    ]
    let plan = try SampleModel.plan(candidateOptions) { options in
      options.keep = [try NamePattern("*.v_proj"), try NamePattern("model.norm")]
    }
    let planner = try BitPlanner(
      plan, SampleModel.candidates(plan, candidateOptions), ties: [], record: SampleModel.record)
    let bitPlan = try planner.plan(.bitsPerWeight(5.5))
    let predicted = try Self.convert(bitPlan, of: planner, in: folder, to: "out")
    #expect(try folder.byteCount(of: "out") == predicted)
    let packed = try Checkpoint(path: folder.path + "/out")
    for entry in try PackedCheckpoint.manifest(of: packed.files[0]).tensors {
      if case .affine(let layout) = entry.layout {
        #expect(!entry.name.hasSuffix("v_proj.weight"))
        if entry.name == "lm_head.weight" {
          #expect(layout == AffineLayout(bits: 8, groupSize: 32))
        } else if entry.name.contains(".layers.0.") {
          #expect(layout.bits == 6)
        } else {
          #expect(layout.bits <= 4)
        }
      } else {
        #expect(entry.name.hasSuffix("norm.weight") || entry.name.hasSuffix("v_proj.weight"))
      }
    }
    let kept = bitPlan.choices.filter { $0.layout == nil }
    #expect(kept.map(\.role) == ["attn_v", "attn_v", "attn_v", "attn_v"])
    #expect(kept.allSatisfy { $0.byteCount == 64 * 128 * 2 && $0.relativeError == 0 })
    #expect(kept.allSatisfy { $0.reason == "--keep *.v_proj" })
    #expect(try validate(folder.path + "/out", against: SampleModel.path) == [])
  }

  @Test func anEditedPlanIsFollowed() throws {
    let folder = try TemporaryFolder()
    var json = try SampleModel.planner().plan(.bitsPerWeight(4)).json(predictedByteCount: nil)
    var tensors = try #require(json["tensors"]?.arrayValue)
    #expect(tensors[0]["name"] == "lm_head.weight")
    tensors[0]["bits"] = 2
    tensors[0]["group_size"] = 64
    tensors[1]["keep"] = true
    json["tensors"] = .array(tensors)
    try folder.write("plan.json", Array(json.prettyText.utf8))
    var options = ConversionOptions()
    options.plan = try BitPlan(path: folder.path + "/plan.json")
    try ConvertTests.convert(SampleModel.path, to: folder.path + "/out", options: options)
    let packed = try Checkpoint(path: folder.path + "/out")
    let entries = try PackedCheckpoint.manifest(of: packed.files[0]).tensors
    let head = try #require(entries.first { $0.name == "lm_head.weight" })
    #expect(
      head.layout == .affine(AffineLayout(bits: 2, groupSize: 64)!) && head.method == "minmax")
    let embedding = try #require(entries.first { $0.name == "model.embed_tokens.weight" })
    #expect(embedding.layout == .plain)
    let config = try JSONValue(parsing: folder.bytes("out/config.json"))
    #expect(config["quantization"]?["lm_head"]?["bits"] == 2)
    #expect(try validate(folder.path + "/out", against: SampleModel.path) == [])
  }
}
