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

  @Test(arguments: [
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
