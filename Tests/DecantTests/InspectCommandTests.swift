import Formats
import Foundation
import Testing

@testable import decant

@Suite struct InspectCommandTests {
  private static let sample = repositoryPath("samples/small")

  private func inspect(_ words: String...) throws -> ToolResult {
    try runTool("COLUMNS=120", [builtProgram, "inspect"] + words)
  }

  private func json(_ words: String...) throws -> JSONValue {
    let result = try runTool(builtProgram, ["inspect", "--json"] + words)
    try #require(result.status == 0, "\(result.error)")
    return try JSONValue(parsing: Array(result.output.utf8))
  }

  private func names(_ json: JSONValue) -> [String] {
    (json["tensors"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
  }

  // MARK: - Lists

  @Test func aFilterListsWhatConvertWouldMatch() throws {
    let filtered = try json(Self.sample, "--filter", "*.mlp.up_proj")
    #expect(names(filtered) == (0..<4).map { "model.layers.\($0).mlp.up_proj.weight" })
    #expect(filtered["filter"] == "*.mlp.up_proj")
    let all = try json(Self.sample)
    #expect(all["filter"] == nil)
    // Totals stay those of the checkpoint.
    #expect(filtered["parameters"] == all["parameters"])
    #expect(filtered["by_role"] == all["by_role"])
    let text = try inspect(Self.sample, "--filter", "re:layers[.]0[.].*norm").output
    // Two norms of 128 BF16 weights are 512 of 2.1 million bytes.
    #expect(text.contains("re:layers[.]0[.].*norm: 2 of 39 tensors, 512 B, 0.02"))
  }

  @Test func tensorsAreSortedAsAsked() throws {
    let sizes = (try json(Self.sample, "--sort", "size")["tensors"]?.arrayValue ?? [])
      .compactMap { $0["byte_count"]?.intValue }
    #expect(sizes == sizes.sorted(by: >) && Set(sizes).count > 2)
    let found = names(try json(Self.sample, "--sort", "name"))
    #expect(found == found.sorted() && found.count == 39)
    let roles = (try json(Self.sample, "--sort", "role")["tensors"]?.arrayValue ?? [])
      .compactMap { $0["role"]?.stringValue }
    let changes = zip(roles, roles.dropFirst()).filter { $0 != $1 }.count
    #expect(changes == Set(roles).count - 1, "every role's tensors stand together")
  }

  @Test func sharesOfRolesAndWidthsComeToAllBytes() throws {
    let document = try json(Self.sample)
    let total = try #require(document["tensor_byte_count"]?.intValue)
    for member in ["by_role", "by_width"] {
      let shares = try #require(document[member]?.arrayValue)
      #expect(shares.compactMap { $0["byte_count"]?.intValue }.reduce(0, +) == total)
      #expect(shares.compactMap { $0["tensors"]?.intValue }.reduce(0, +) == 39)
      let sum = shares.compactMap { $0["share"]?.doubleValue }.reduce(0, +)
      #expect(abs(sum - 1) < 1e-12)
    }
    // 2 x 1024 x 128 of 1,049,728 weights.
    let embedding = document["by_role"]?.arrayValue?.first { $0["role"] == "token_embedding" }
    #expect(embedding?["byte_count"] == .integer(262_144))
    let text = try inspect(Self.sample).output
    #expect(text.contains("token_embedding        1   262 KB"))
  }

  // MARK: - Values

  /// Codes 0 to 7 four times, `code * 0.5 - 1`; and a vector with all that is no number.
  private func packed(_ folder: Folder) throws -> String {
    let halfOnes: [UInt8] = [0x00, 0x38]  // 0.5 in F16
    let minusOne: [UInt8] = [0x00, 0xBC]  // -1 in F16
    try folder.makeFolder("model")
    try writeSafetensors(
      [
        TestTensor("lm_head.biases", "F16", [2, 1], bytes: minusOne + minusOne),
        TestTensor("lm_head.scales", "F16", [2, 1], bytes: halfOnes + minusOne),
        TestTensor(
          "lm_head.weight", "U32", [2, 4],
          bytes: (0..<8).flatMap { _ in littleEndian(UInt32(0x7654_3210)) }),
        TestTensor(f32: "model.norm.weight", [6], [0, -0.0, .nan, .infinity, -3, 2]),
        TestTensor("places", "I64", [3], bytes: [7, -1, 0].flatMap { littleEndian(Int64($0)) }),
      ], to: folder.path("model/model.safetensors"))
    try folder.write(
      #"{"model_type": "llama", "quantization": {"group_size": 32, "bits": 4}}"#,
      to: "model/config.json")
    return folder.path("model")
  }

  @Test func packedValuesAreDecoded() throws {
    let folder = try Folder()
    let path = try packed(folder)
    let found = try json(path, "--tensor", "lm_head", "--values", "--first", "10")
    let tensor = try #require(found["tensors"]?.arrayValue?.first)
    #expect(tensor["bits"] == .integer(4) && tensor["shape"] == [.integer(2), .integer(32)])
    let values = try #require(tensor["values"])
    #expect(
      values["first"]?.arrayValue?.compactMap(\.doubleValue)
        == [-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, -1, -0.5])
    // The second row is -code - 1: from -1 to -8.
    #expect(values["min"]?.doubleValue == -8 && values["max"]?.doubleValue == 2.5)
    // Means of the rows are 0.75 and -4.5.
    #expect(values["mean"]?.doubleValue == (0.75 - 4.5) / 2)
    #expect(values["count"] == .integer(64) && values["zeros"] == .integer(4))
    let text = try inspect(path, "--tensor", "lm_head", "--values").output
    #expect(text.contains("4 bits, groups of 32"))
    #expect(text.contains("\nfirst 16: -1.0 -0.5 0.0 0.5 1.0 1.5 2.0 2.5 -1.0"))
  }

  @Test func whatIsNoNumberIsCounted() throws {
    let folder = try Folder()
    let path = try packed(folder)
    let found = try json(path, "--tensor", "model.norm.weight", "--values")
    let values = try #require(found["tensors"]?.arrayValue?.first?["values"])
    #expect(values["nan"] == .integer(1) && values["infinities"] == .integer(1))
    #expect(values["zeros"] == .integer(2) && values["count"] == .integer(6))
    #expect(values["mean"]?.doubleValue == -0.25)
    #expect(values["first"]?.arrayValue?[2] == .null && values["first"]?.arrayValue?.count == 6)
    let text = try inspect(path, "--tensor", "model.norm", "--values").output
    #expect(text.contains("min -3.00, max 2.00, mean -0.250 of the 4 finite"))
    #expect(text.contains("all of them: 0.0 -0.0 nan inf -3.0 2.0"))
    let places = try json(path, "--tensor", "places", "--values")["tensors"]?.arrayValue?.first
    #expect(
      places?["values"]?["first"]?.arrayValue?.compactMap(\.doubleValue) == [7, -1, 0])
  }

  @Test func manyTilesOnManyThreadsGiveTheSame() throws {
    // More than one tile of 2^18 weights.
    let folder = try Folder()
    let count = 300_000
    try writeSafetensors(
      [TestTensor(f32: "w", [count], (0..<count).map { Float($0 % 1009) / 512 - 1 })],
      to: folder.path("m.safetensors"))
    let path = folder.path("m.safetensors")
    let one = try json(path, "--tensor", "w", "--values", "-j", "1")
    #expect(try json(path, "--tensor", "w", "--values", "-j", "5") == one)
    let values = try #require(one["tensors"]?.arrayValue?.first?["values"])
    // Every term and sum is exact.
    let sum = (0..<count).reduce(0.0) { $0 + Double($1 % 1009) / 512 - 1 }
    #expect(values["mean"]?.doubleValue == sum / Double(count))
    #expect(values["max"]?.doubleValue == 1008.0 / 512 - 1 && values["min"]?.doubleValue == -1)
  }

  @Test(arguments: [
    (["--values"], 64, "--values and --first are about one tensor"),
    (["--filter", "*", "--tensor", "lm_head"], 64, "both choose what is shown"),
    (["--tensor", "*mlp*", "--values"], 64, "matches 12"),
    (["--filter", "nope"], 1, "--filter 'nope' matches no tensor"),
    (["--tensor", "lm_head", "--values", "--first", "0"], 64, "out of range"),
    (["--sort", "bytes"], 64, "'bytes' is not a value of '--sort'"),
  ]) func whatMakesNoSenseIsSaid(_ words: [String], _ status: Int32, _ message: String) throws {
    let result = try runTool(builtProgram, ["inspect", Self.sample] + words)
    #expect(result.status == status)
    #expect(result.output == "" && result.error.contains(message), "\(result.error)")
  }

  @Test func anAdapterHasNoTensorsToChoose() throws {
    let result = try inspect(repositoryPath("samples/adapter"), "--sort", "size")
    #expect(result.status == 64 && result.error.contains("is an adapter"))
  }
}
