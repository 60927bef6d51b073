import Formats
import Foundation
import Testing

@testable import Convert

/// Plans on disk: what is read back, what does not fit, and what is none.
@Suite struct BitPlanFileTests {
  private let folder: TemporaryFolder
  private let original: BitPlan
  private var path: String { folder.path + "/plan.json" }

  init() throws {
    folder = try TemporaryFolder()
    original = try SampleModel.planner().plan(.bitsPerWeight(4.25))
  }

  /// The plan's JSON with an edit.
  private func write(_ edit: (inout JSONValue) throws -> Void) throws {
    var json = original.json(predictedByteCount: 656_000)
    try edit(&json)
    try folder.write("plan.json", Array(json.prettyText.utf8))
  }

  /// The same with an edit of one tensor's entry.
  private func write(
    tensor name: String, _ edit: (inout JSONValue) throws -> Void
  ) throws {
    try write { json in
      var tensors = try #require(json["tensors"]?.arrayValue)
      let index = try #require(tensors.firstIndex { $0["name"]?.stringValue == name })
      try edit(&tensors[index])
      json["tensors"] = .array(tensors)
    }
  }

  private func plannedConversion(of source: String = SampleModel.path) throws -> ConversionPlan {
    var options = ConversionOptions()
    options.plan = try BitPlan(path: path)
    return try ConversionPlan(Checkpoint(path: source), options: options)
  }

  private func misfit(_ difference: String) -> AllocationError {
    .doesNotFit(plan: "the plan", difference: difference)
  }

  private static let head = "lm_head.weight"

  // MARK: - Reading

  @Test func whatWasWrittenIsRead() throws {
    try write { _ in }
    let read = try BitPlan(path: path)
    #expect(read.decantVersion == original.decantVersion)
    #expect(read.method == original.method)
    #expect(read.scaleType == original.scaleType)
    #expect(read.request == original.request)
    #expect(read.sources == original.sources)
    #expect(read.dumps == original.dumps)
    #expect(read.totals == original.totals)
    // What lost is for people, and is not read.
    let choices = original.choices.map { choice in
      BitPlan.Choice(
        name: choice.name, shape: choice.shape, role: choice.role, layer: choice.layer,
        layout: choice.layout, byteCount: choice.byteCount, relativeError: choice.relativeError,
        samplingError: choice.samplingError, weight: choice.weight, divergence: nil,
        reason: choice.reason, alternatives: [])
    }
    #expect(read.choices.count == 30)
    #expect(read.choices == choices)
  }

  @Test func inputsAreNamedWithSizesAndChecksums() throws {
    let dump = try BitPlan.Input(path: SampleModel.activations)
    let bytes = Array(try Data(contentsOf: URL(filePath: SampleModel.activations)))
    #expect(dump.name == "small-activations.safetensors")
    #expect(dump.byteCount == bytes.count)
    var hash = XXH64()
    hash.update(bytes)
    #expect(dump.checksum == hash.value)
    let weights = try folderOfSample("model.safetensors")
    let header = 8 + weights[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    var headerHash = XXH64()
    headerHash.update(Array(weights[..<header]))
    #expect(
      original.sources == [
        .init(
          name: "model.safetensors", byteCount: weights.count, checksum: headerHash.value)
      ])
  }

  private func folderOfSample(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: SampleModel.path + "/" + name)))
  }

  // MARK: - Plans for another checkpoint

  @Test func aTensorWithoutAWidthIsAMisfit() throws {
    try write { json in
      json["tensors"] = .array(
        (json["tensors"]?.arrayValue ?? []).filter { $0["name"]?.stringValue != Self.head })
    }
    #expect(throws: misfit("it has no width for tensor 'lm_head.weight'")) {
      try plannedConversion()
    }
  }

  @Test func aTensorThatTheCheckpointLacksIsAMisfit() throws {
    try write(tensor: Self.head) { $0["name"] = "lm_heat.weight" }
    #expect(throws: misfit("it has no width for tensor 'lm_head.weight'")) {
      try plannedConversion()
    }
    try write { json in
      var tensors = json["tensors"]?.arrayValue ?? []
      var extra = tensors[0]
      extra["name"] = "model.layers.9.mlp.up_proj.weight"
      tensors.append(extra)
      json["tensors"] = .array(tensors)
    }
    #expect(
      throws: misfit(
        "the plan names tensor 'model.layers.9.mlp.up_proj.weight', which the checkpoint lacks")
    ) { try plannedConversion() }
  }

  @Test func aTensorThatIsNeverQuantizedIsAMisfit() throws {
    try write { json in
      var tensors = json["tensors"]?.arrayValue ?? []
      var extra = tensors[0]
      extra["name"] = "model.norm.weight"
      tensors.append(extra)
      json["tensors"] = .array(tensors)
    }
    #expect(
      throws: misfit("the plan names tensor 'model.norm.weight', which is not quantized")
    ) { try plannedConversion() }
  }

  @Test func anotherShapeIsAMisfit() throws {
    try write(tensor: Self.head) { $0["shape"] = [1024, 256] }
    #expect(
      throws: misfit("tensor 'lm_head.weight' has shape [1024, 128]; the plan is for [1024, 256]")
    ) { try plannedConversion() }
  }

  @Test func aGroupThatDoesNotDivideIsAMisfit() throws {
    let source = folder.path + "/source"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
    try writeSafetensors(
      [TestTensor(random: "model.layers.0.mlp.down_proj.weight", .bf16, [64, 96], seed: 1)],
      to: source + "/model.safetensors")
    try write { json in
      var entry = json["tensors"]?.arrayValue?[0] ?? .null
      entry["name"] = "model.layers.0.mlp.down_proj.weight"
      entry["shape"] = [64, 96]
      entry["group_size"] = 64
      json["tensors"] = [entry]
    }
    #expect(
      throws: misfit(
        "tensor 'model.layers.0.mlp.down_proj.weight' has 96 inputs, which groups of 64 do not "
          + "divide")
    ) { try plannedConversion(of: source) }
  }

  // MARK: - What is no plan

  @Test func aNewerVersionIsRefused() throws {
    try write { $0["format_version"] = 2 }
    #expect(throws: AllocationError.newerPlan(file: path, found: 2, known: 1)) {
      try BitPlan(path: path)
    }
  }

  @Test(arguments: ["", "{", "[1, 2", "plan: 4 bits", "{\"format_version\": 1} trailing"])
  func whatIsNotJSONIsRefused(_ text: String) throws {
    try folder.write("plan.json", Array(text.utf8))
    #expect { try BitPlan(path: path) } throws: { error in
      guard case AllocationError.notAPlan(let file, let reason)? = error as? AllocationError else {
        return false
      }
      return file == path && reason.contains("(byte ")
    }
  }

  @Test(arguments: ["[]", "null", "{}", "4", "{\"tensors\": []}"])
  func jsonThatIsNoPlanIsRefused(_ text: String) throws {
    try folder.write("plan.json", Array(text.utf8))
    #expect(
      throws: AllocationError.notAPlan(
        file: path, reason: "format_version must be a whole number")
    ) { try BitPlan(path: path) }
  }

  @Test(arguments: [
    ("format_version", "0", "format_version must be at least 1"),
    ("format_version", "1.5", "format_version must be a whole number"),
    ("format_version", "-1", "format_version must be a whole number"),
    ("method", "\"magic\"", "method 'magic' is not known"),
    ("scale_dtype", "\"f8\"", "scale_dtype 'f8' is not known"),
    ("tensors", "{}", "tensors must be an array"),
    ("tensors", "[{}]", "tensors[0].shape must be an array"),
    ("tensors", "[4]", "tensors[0].shape must be an array"),
    ("totals", "[]", "totals.bits_per_weight must be a number"),
    ("sources", "[{\"header_xxh64\": \"12\"}]", "sources[0].header_xxh64 must be sixteen"),
    ("dumps", "[{\"xxh64\": \"0123456789abcdeg\"}]", "dumps[0].xxh64 must be sixteen"),
  ]) func aBrokenMemberIsNamed(_ member: String, _ value: String, _ reason: String) throws {
    try write { $0[member] = try JSONValue(parsing: Array(value.utf8)) }
    try expectNoPlan(reason)
  }

  @Test(arguments: [
    ("bits", "7", "there is no layout of 7 bits in groups of 128"),
    ("bits", "null", "tensors[0].bits must be a whole number"),
    ("bits", "99999999999999999999", "tensors[0].bits must be a whole number"),
    ("group_size", "0", "in groups of 0"),
    ("group_size", "-64", "tensors[0].group_size must be a whole number"),
    ("keep", "\"true\"", "tensors[0].keep must be true or false"),
    ("keep", "1", "tensors[0].keep must be true or false"),
    ("shape", "[-1, 128]", "tensors[0].shape must hold whole numbers"),
    ("shape", "[1e3, 128]", "tensors[0].shape must hold whole numbers"),
    ("bytes", "-5", "tensors[0].bytes must be a whole number"),
    ("relative_error", "1e999", "tensors[0].relative_error must be a number"),
    ("name", "4", "tensors[0].name must be a string"),
    ("name", "\"model.embed_tokens.weight\"", "tensor 'model.embed_tokens.weight' is there twice"),
  ]) func aBrokenTensorIsNamed(_ member: String, _ value: String, _ reason: String) throws {
    try write(tensor: Self.head) { $0[member] = try JSONValue(parsing: Array(value.utf8)) }
    try expectNoPlan(reason)
  }

  private func expectNoPlan(_ reason: String) throws {
    #expect { try BitPlan(path: path) } throws: { error in
      guard case AllocationError.notAPlan(let file, let found)? = error as? AllocationError else {
        return false
      }
      return file == path && found.contains(reason)
    }
  }

  /// A product of such dimensions fits no integer.
  @Test func hugeShapesAreAMisfitAndNoTrap() throws {
    let largest = JSONValue.number("18446744073709551615")
    try write { json in
      json["tensors"] = .array(
        (json["tensors"]?.arrayValue ?? []).map { tensor in
          var tensor = tensor
          tensor["shape"] = .array([largest, largest])
          return tensor
        })
    }
    #expect { try plannedConversion() } throws: { error in
      guard case AllocationError.doesNotFit(_, let difference)? = error as? AllocationError else {
        return false
      }
      return difference.contains("18446744073709551615")
    }
  }
}
