import Foundation
@_exported import TestSupport
import Testing

/// What a program did.
struct ToolResult {
  let output: String
  /// Without the lines of progress that a slow machine gets to see.
  let error: String
  let status: Int32
}

/// Runs a program found on the path, with nothing to read. For small outputs only.
func runTool(_ name: String, _ arguments: [String]) throws -> ToolResult {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = [name] + arguments
  let (output, error) = (Pipe(), Pipe())
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = output
  process.standardError = error
  try process.run()
  let outputData = try output.fileHandleForReading.readToEnd() ?? Data()
  let errorData = try error.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return ToolResult(
    output: String(decoding: outputData, as: UTF8.self),
    error: String(decoding: errorData, as: UTF8.self)
      .replacing(/[a-z]+ +[0-9]+%  [^\n]* of [^\n]*\n/, with: ""), status: process.terminationStatus
  )
}

/// Whether a program is on the path.
func isInstalled(_ name: String) -> Bool {
  let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
  return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
}

typealias Folder = TemporaryFolder

/// The program under test. `swift build` puts it beside the tests.
var builtProgram: String {
  // On macOS the tests are a bundle that another program loads; on Linux they are the program.
  let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
  let tests = bundle ?? URL(filePath: CommandLine.arguments[0])
  return tests.deletingLastPathComponent().appending(path: "decant").path(percentEncoded: false)
}
