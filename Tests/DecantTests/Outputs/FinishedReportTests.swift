import Foundation
import Testing

/// What becomes of results and reports: nobody reads them, nothing takes them, or quiet is asked for.
@Suite struct FinishedReportTests {
  private let folder: Folder
  private var sample: String { folder.path + "/source" }
  private var out: String { folder.path + "/out" }

  init() throws {
    folder = try Folder()
    try writeTinyModel(to: "source", in: folder)
  }

  private func run(_ words: [String], output: Any) throws -> ToolResult {
    let process = Process()
    process.executableURL = URL(filePath: builtProgram)
    process.arguments = words
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = try error.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return ToolResult(
      output: "", error: String(decoding: text, as: UTF8.self), status: process.terminationStatus)
  }

  private func check(_ words: [String]) throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let closed = try run(words + ["--force"], output: pipe)
    #expect(closed.status == 0)
    #expect(closed.error == "")
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let result = try run(words + ["--force"], output: full)
    #expect(result.status == 0)
    #expect(
      result.error.hasPrefix("warning: \(out) is complete, but its report could not be printed: "))
    #expect(result.error.split(separator: "\n").count == 1)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFinishedOutputIsNoFailure() throws {
    try check(["convert", sample, "--method", "minmax", "-o", out])
    #expect(FileManager.default.fileExists(atPath: out + "/model.safetensors"))
    try check(["convert", sample, "--method", "minmax", "-o", out, "--json"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aWrittenPlanIsNoFailure() throws {
    try check([
      "plan", sample, "--target-bpw", "7", "--method", "minmax", "--allow-bits", "4,8",
      "--allow-groups", "64", "--sample", "4096", "-q", "-o", out,
    ])
    #expect(FileManager.default.fileExists(atPath: out))
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aResultThatIsOnlyPrintedIsLost() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let result = try run(["inspect", sample], output: full)
    #expect(result.status == 1)
    #expect(result.error.hasPrefix("error: cannot write to standard output: "))
  }

  @Test func quietKeepsResults() throws {
    let plan = [
      "plan", sample, "--target-bpw", "7", "--method", "minmax", "--allow-bits", "4,8",
      "--allow-groups", "64", "--sample", "4096",
    ]
    let planned = try runTool(builtProgram, plan)
    #expect(planned.output.contains("bits per weight"))
    #expect(try runTool(builtProgram, plan + ["-q"]).output == planned.output)
    let dryRun = ["convert", sample, "-o", out, "--dry-run"]
    let shown = try runTool(builtProgram, dryRun)
    #expect(shown.output.contains("model.layers.0.mlp.down_proj.weight"))
    #expect(try runTool(builtProgram, dryRun + ["-q"]).output == shown.output)
    let converted = try runTool(
      builtProgram, ["convert", sample, "--method", "minmax", "-o", out, "-q"])
    #expect(converted.status == 0 && converted.output == "" && converted.error == "")
  }

  /// A file that is opened later must not get the number of a closed stream.
  @Test func aClosedStreamDamagesNothing() throws {
    let script = #""$0" convert "$1" --method minmax -o "$2" >&- 2>&- <&-"#
    let result = try runTool("sh", ["-c", script, builtProgram, sample, out])
    #expect(result.status == 0)
    #expect(try runTool(builtProgram, ["validate", out, "--against", sample]).status == 0)
  }
}
