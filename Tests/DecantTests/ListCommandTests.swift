import Formats
import Foundation
import Testing

@Suite struct ListCommandTests {
  private let folder: Folder

  /// A cache with a model of two snapshots, one of which lacks its weights, and a folder with one that is
  /// packed and one that is damaged.
  init() throws {
    folder = try Folder()
    let model = "hub/models--acme--tiny"
    try writeTinyModel(to: model + "/snapshots/c0ffee", in: folder)
    try folder.makeFolder(model + "/refs")
    try folder.write("c0ffee", to: model + "/refs/main")
    try folder.makeFolder(model + "/snapshots/facade")
    try folder.write("{}", to: model + "/snapshots/facade/config.json")
  }

  private func list(_ arguments: String...) throws -> ToolResult {
    try runTool("env", ["HF_HOME=" + folder.path, builtProgram, "list"] + arguments)
  }

  @Test func theCacheIsListedByName() throws {
    let result = try list()
    #expect(result.status == 0 && result.error == "")
    // 64 × 64 + 64 × 96 + 96 × 64 + 64 weights in F32, and a header.
    let size = try contents(
      of: folder.path("hub/models--acme--tiny/snapshots/c0ffee/model.safetensors")
    ).count
    #expect((65_792..<66_800).contains(size))
    #expect(
      result.output == """
        name                 size  dtype  architecture  bits  bpw  state
        acme/tiny         \(String(format: "%.1f", Double(size) / 1000)) KB  F32    llama
        acme/tiny@facade                                           incomplete

        acme/tiny@facade: incomplete: no safetensors weights in \(folder.path)/hub/models--acme--tiny/snapshots/facade

        """)
  }

  @Test func aFolderIsListedWithBitsAndWithWhatIsWrong() throws {
    let source = folder.path("hub/models--acme--tiny")
    try folder.makeFolder("models")
    let packed = try runTool(
      builtProgram, ["convert", source, "-o", folder.path("models/packed"), "--bits", "3", "-q"])
    #expect(packed.status == 0)
    try writeTinyModel(to: "models/cut", in: folder)
    let weights = folder.path("models/cut/model.safetensors")
    try folder.write(
      Array(try contents(of: weights).dropLast()), to: "models/cut/model.safetensors")
    try writeTinyModel(to: "models/odd", in: folder)
    try folder.write("[]", to: "models/odd/config.json")

    let result = try list(folder.path("models"), "--json")
    #expect(result.status == 0 && result.error == "")
    let json = try JSONValue(parsing: Array(result.output.utf8))
    let models = try #require(json["models"]?.arrayValue)
    #expect(
      models.map { $0["name"]?.stringValue }
        == ["cut", "odd", "packed"].map { folder.path("models/" + $0) })
    #expect(models.map { $0["state"]?.stringValue } == ["incomplete", "unreadable", "complete"])
    #expect(models.map { $0["reason"] == .null } == [false, false, true])
    #expect(models[2]["bits"] == .array([.integer(3)]))
    #expect(models[2]["dtype"] == .string("U32"))
    #expect(models[2]["parameters"] == .integer(64 * 64 + 2 * 64 * 96 + 64))
    // 3 bits and two values of 32 bits for each group, which is 64 or, for the 64 × 96 weights with 96
    // inputs, 32; the norm's 64 weights are F32.
    let bits = 4 * (64 * 64 + 96 * 64) + 5 * 64 * 96 + 32 * 64
    #expect(models[2]["bits_per_weight"] == .double(Double(bits) / 16_448))
  }

  @Test func whatIsNotThereIsAnErrorAndNothingIsNot() throws {
    #expect(try list(folder.path("missing")).status == 1)
    try folder.makeFolder("empty")
    let result = try list(folder.path("empty"))
    #expect(result.status == 0)
    #expect(result.output == "no models in \(folder.path)/empty\n")
  }
}
