import Formats
import Foundation
import TestSupport
import Testing

/// `decant convert` for llama.cpp, as a program.
@Suite struct GGUFCommandTests {
  private let folder: Folder
  private let model = samplesFolder + "/small"

  init() throws { folder = try Folder() }

  private func convert(_ words: String...) throws -> ToolResult {
    try runTool(builtProgram, ["convert", model] + words)
  }

  @Test func theNameOfTheOutputSaysThatItIsForLlamaCpp() throws {
    let path = folder.path("model.gguf")
    let result = try convert("-o", path, "--json")
    #expect(result.status == 0, "\(result.error)")
    let report = try JSONValue(parsing: Array(result.output.utf8))
    #expect(report["output_bytes"]?.intValue == (try contents(of: path)).count)
    let header = try GGUFFile(path: path).header
    #expect(header.value("general.architecture") == .string("llama"))
    // That it is there already is an error.
    #expect(try convert("-o", path).status == 1)
    #expect(try convert("-o", path, "--force", "-q").status == 0)
  }

  @Test func aDryRunWritesNothing() throws {
    let path = folder.path("model.gguf")
    let result = try convert("-o", path, "--type", "F32", "--dry-run")
    #expect(result.status == 0)
    #expect(result.output.contains("blk.0.attn_q.weight") && result.output.contains("kept as F32"))
    #expect(!FileStatus.exists(path))
  }

  @Test func aReportListsWhatIsNotInTheTypeAskedFor() throws {
    // Rows of 128 inputs are no whole blocks of 256.
    let words = ["-o", folder.path("model.gguf"), "--type", "Q4_K_M", "--dry-run"]
    let text = try runTool(builtProgram, ["convert", model] + words)
    #expect(text.status == 0)
    #expect(text.output.contains("Q5_0, 128 inputs are no whole blocks of Q4_K: "))
    #expect(text.output.contains("kept, llama.cpp takes it in F32: 9 tensors"))
    let result = try runTool(builtProgram, ["convert", model, "--json"] + words)
    let report = try JSONValue(parsing: Array(result.output.utf8))
    let tensors = try #require(report["tensors"]?.arrayValue)
    let types = Dictionary(
      uniqueKeysWithValues: tensors.map { ($0["name"]?.stringValue, $0["type"]?.stringValue) })
    #expect(types["blk.0.attn_q.weight"] == "Q5_0")
    #expect(types["output.weight"] == "Q8_0")
    #expect(types["output_norm.weight"] == "F32")
  }

  @Test func anImportanceOfInputsIsTakenAndRecorded() throws {
    let path = folder.path("model.gguf")
    let dump = samplesFolder + "/small-activations.safetensors"
    let result = try convert("-o", path, "--type", "Q4_0", "--activations", dump, "-q")
    #expect(result.status == 0, "\(result.error)")
    let header = try GGUFFile(path: path).header
    let text = try #require(header.value("decant.manifest")?.stringValue)
    let options = try JSONValue(parsing: Array(text.utf8))["options"]
    #expect(options?["activations"]?.arrayValue?.count == 1)
  }

  @Test(arguments: [
    (["-o", "OUT.gguf", "--type", "Q4"], "Q4_K_M"),
    (["-o", "OUT.gguf", "--group-size", "32"], "--group-size is not for GGUF files"),
    (["-o", "OUT.gguf", "--method", "gptq"], "--method is not for GGUF files"),
    (["-o", "OUT.gguf", "--plan", "x"], "--plan is not for GGUF files"),
    (["-o", "OUT.gguf", "--target-bpw", "4"], "--target-bpw is not for GGUF files"),
    (
      ["-o", "OUT.gguf", "--type", "F16", "--activations", "x"],
      "--activations is for weights that are"
    ),
    (["-o", "OUT.gguf", "--bits", "4"], "--bits is not for GGUF files"),
    (["-o", "OUT.gguf", "--smooth", "auto"], "--smooth is not for GGUF files"),
    (["-o", "OUT.gguf", "--adapter", "x"], "--adapter is not for GGUF files"),
    (["-o", "OUT", "--for", "llama.cpp"], "llama.cpp reads GGUF files"),
    (["-o", "OUT.gguf", "--for", "mlx"], "MLX reads no GGUF files"),
    (["-o", "OUT", "--type", "F16"], "--type is for llama.cpp"),
  ])
  func optionsOfOtherDestinationsMakeNoSense(words: [String], message: String) throws {
    let result = try runTool(
      builtProgram,
      ["convert", model] + words.map { $0.replacing("OUT", with: folder.path("out")) })
    #expect(result.status == 64)
    #expect(result.error.contains(message) && result.error.contains("hint: "), "\(result.error)")
  }

  @Test(arguments: ["unpack", "merge"]) func otherCommandsWriteNone(command: String) throws {
    let packed = folder.path("packed")
    try #require(try convert("-o", packed, "--method", "minmax", "-q").status == 0)
    let words = command == "merge" ? ["--undo"] : []
    let result = try runTool(
      builtProgram, [command, packed, "-o", folder.path("out.gguf")] + words)
    #expect(result.status == 64 && result.error.contains("ends in .gguf as files do"))
  }
}
