import Foundation
import Testing

/// `decant merge` and the options of adapters, run as a person runs them.
@Suite struct MergeCommandTests {
  private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples")
    .path(percentEncoded: false)
  private let folder: Folder
  private var base: String { folder.path + "/base" }
  private var adapter: String { Self.samples + "/adapter" }

  init() throws {
    folder = try Folder()
    let converted = try runTool(
      builtProgram,
      [
        "convert", Self.samples + "/small", "-o", folder.path + "/base", "--group-size", "32",
        "--method", "minmax", "-q",
      ])
    try #require(converted.status == 0)
  }

  private func merge(_ words: String...) throws -> ToolResult {
    try runTool(builtProgram, ["merge", base, "-o", folder.path + "/out"] + words)
  }

  @Test func commandLinesThatMakeNoSenseAreUsageErrors() throws {
    for words in [
      [], ["--pooling", "mean"], ["--undo", "--adapter", adapter], ["--adapter", "x=nan"],
    ] {
      let result = try runTool(builtProgram, ["merge", base, "-o", folder.path + "/out"] + words)
      #expect(result.status == 64, "\(words)")
      #expect(result.output == "" && result.error.contains("error"))
    }
    let validated = try runTool(builtProgram, ["validate", base, "--adapter", adapter])
    #expect(validated.status == 64)
  }

  @Test func anAmbiguousAdapterIsExplainedAndNothingIsWritten() throws {
    let result = try merge("--adapter", adapter)
    #expect(result.status == 1)
    #expect(result.error.contains("0.03125 (mean), 1.0 (sum), 0.375 (peft)"))
    #expect(result.error.contains("--pooling"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
  }

  @Test func resultsAreJSONOnRequest() throws {
    let result = try merge("--adapter", adapter, "--pooling", "mean", "--json")
    #expect(result.status == 0)
    let json = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let probe = try #require(json["probe"] as? [String: Any])
    #expect(probe["modules"] as? Int == 28)
    #expect(json["can_be_undone"] as? Bool == true)
    let again = try merge("--adapter", adapter, "--pooling", "mean")
    #expect(again.status == 1 && again.error.contains("--force"))
    let source = try runTool(
      builtProgram,
      [
        "validate", folder.path + "/out", "--against", Self.samples + "/small", "--adapter",
        adapter,
      ])
    #expect(source.status == 0, "\(source.output)")
  }

  @Test func anAdapterIsShown() throws {
    let result = try runTool(builtProgram, ["inspect", adapter])
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n")
    #expect(lines.first == "adapter: QA-LoRA, 28 modules, 42112 parameters, 91.2 KB")
    #expect(lines.contains { $0.contains("model.layers.3.mlp.up_proj") && $0.contains("qalora") })
  }
}
