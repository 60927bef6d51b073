import Foundation
import Testing

@testable import decant

/// Runs the built program. `build` puts it beside the tests.
private func decant(_ arguments: String...) throws -> ToolResult {
  try runTool(builtProgram, arguments)
}

@Suite struct ProgramTests {
  @Test func versionIsOneLine() throws {
    let result = try decant("--version")
    #expect(result.output == "decant 0.1.0\n")
    #expect(result.error == "")
    #expect(result.status == 0)
  }

  @Test func withoutWordsItShowsTheCommandsAsAnError() throws {
    let result = try decant()
    #expect(result.output == "")
    #expect(result.error.hasPrefix("Usage: decant COMMAND [options]\n\nCommands:\n"))
    #expect(result.status == 64)
  }

  @Test func theThreeWaysToACommandsHelpAgree() throws {
    let help = try decant("help", "convert")
    #expect(help.status == 0)
    #expect(help.output.contains("\nExamples:\n"))
    #expect(try decant("convert", "--help").output == help.output)
    #expect(try decant("convert", "-h").output == help.output)
    #expect(try decant("help").output == decant("--help").output)
  }

  @Test func aWrongOptionIsExplainedOnStandardError() throws {
    let result = try decant("convert", "--grop-size", "64")
    #expect(result.output == "")
    #expect(
      result.error == """
        error: unknown option '--grop-size' for 'decant convert'
        hint: did you mean '--group-size'?

        """)
    #expect(result.status == 64)
  }

  @Test(arguments: Shell.allCases)
  func completionsAreWrittenToStandardOutput(_ shell: Shell) throws {
    let result = try decant("completions", shell.rawValue)
    #expect(result.output == shell.completionScript(for: Program.description))
    #expect(result.status == 0)
  }

  @Test func aReaderThatLeavesIsNoError() throws {
    // `sleep` outlives the reader, so that the write surely finds the pipe closed.
    let result = try runTool(
      "bash",
      ["-c", "(sleep 0.2; \"$1\" --help; echo status $? >&2) | exec true", "bash", builtProgram])
    #expect(result.error == "status 1\n")
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDiskIsReported() throws {
    let result = try runTool("bash", ["-c", "\"$1\" --help > /dev/full", "bash", builtProgram])
    #expect(result.error == "error: cannot write to standard output: No space left on device\n")
    #expect(result.status == 1)
  }
}
