import Formats
import Foundation
import Testing

@testable import decant

/// Outputs that a person should not be able to write, run as a person runs them.
@Suite struct OutputSafetyTests {
  private let folder: Folder
  private var source: String { folder.path + "/source" }

  init() throws {
    folder = try Folder()
    try writeTinyModel(to: "source", in: folder)
  }

  private func decant(_ words: String...) throws -> ToolResult {
    try runTool(builtProgram, words)
  }

  private func contents() throws -> [String: Data] {
    var result: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: source) {
      result[name] = FileManager.default.contents(atPath: source + "/" + name)
    }
    return result
  }

  @Test(arguments: [
    ["stats", "--html"], ["plan", "--target-bpw", "4", "-o"],
    ["plan", "--target-bpw", "4", "--html"],
  ])
  func noReportReplacesAnInputOrLiesInTheSource(_ words: [String]) throws {
    let dump = folder.path + "/dump.safetensors"
    let inputs = [Float](repeating: 1, count: 4 * 64)
    try writeSafetensors(
      [TestTensor(f32: "model.layers.0.mlp.up_proj.input", [4, 64], inputs)], to: dump)
    let before = try contents()
    let dumped = FileManager.default.contents(atPath: dump)
    for output in [
      source + "/model.safetensors", source + "/config.json", source + "/report", dump,
    ] {
      let result = try runTool(
        builtProgram,
        [words[0], source] + words.dropFirst() + [output, "--activations", dump, "--force"])
      #expect(result.status == 1, "\(output)")
      #expect(result.error.contains("error: the output \(output) and the source "))
    }
    #expect(try contents() == before)
    #expect(FileManager.default.contents(atPath: dump) == dumped)
  }

  @Test func noReportReplacesAPipe() throws {
    let pipe = folder.path + "/pipe"
    // The name ends with a zero byte.
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    let result = try decant("stats", source, "--html", pipe, "--force")
    #expect(result.status == 1)
    #expect(result.error.contains("\(pipe) is not a regular file"))
    #expect(!FileStatus.isRegular(pipe) && FileStatus.exists(pipe))
  }

  @Test func aConversionDoesNotReplaceItsPlan() throws {
    let plan = folder.path + "/plan.safetensors"
    try #require(
      try decant(
        "plan", source, "--target-bpw", "7", "--method", "minmax", "--sample", "4096", "-o", plan,
        "-q"
      ).status
        == 0)
    let before = FileManager.default.contents(atPath: plan)
    let result = try decant("convert", source, "--plan", plan, "-o", plan, "--force")
    #expect(result.status == 1)
    #expect(result.error.contains("overlap"))
    #expect(FileManager.default.contents(atPath: plan) == before)
  }

  @Test func messagesNameWhatWasTyped() throws {
    let long = folder.path + "/" + String(repeating: "n", count: 256)
    for (output, status, message) in [
      ("nosuch/dir/out", 1, "cannot create nosuch/dir/out: there is no directory nosuch/dir"),
      (long, 1, "is a longer name than the file system allows"),
      (folder.path + "/out.npz", 64, "ends in .npz as files do"),
    ] {
      let result = try decant("convert", source, "--method", "minmax", "-o", output)
      #expect(result.status == status)
      #expect(result.error.contains(message), "\(result.error)")
      #expect(!result.error.contains("partial"))
      #expect(result.error.contains("hint: "))
    }
  }

  @Test(arguments: ["k", "./k", "é", "way/k"])
  func shortNamesInTheFolderOfTheShell(_ name: String) throws {
    try folder.makeFolder("way")
    let script = #"cd "$1" && exec "$0" convert source --method minmax -q -o "$2""#
    let result = try runTool("sh", ["-c", script, builtProgram, folder.path, name])
    #expect(result.status == 0, "\(result.error)")
    #expect(FileStatus.exists(folder.path + "/" + name + "/model.safetensors"))
  }

  @Test func aLinkIsRefusedWithOrWithoutForce() throws {
    try folder.makeFolder("there")
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "there")
    for words in [[], ["--force"]] {
      let result = try runTool(builtProgram, ["convert", source, "-o", link] + words)
      #expect(result.status == 1)
      #expect(result.error.contains("\(link) is a symbolic link"))
    }
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "there")
  }

  @Test func whatAKilledRunLeftIsNamedAndRemoved() throws {
    let left = ".out.decant-abc.partial"
    try folder.makeFolder(left)
    try folder.write(left + "/model.safetensors", "half")
    let result = try decant("convert", source, "--method", "minmax", "-o", folder.path + "/out")
    #expect(result.status == 0)
    #expect(
      result.error
        == "note: removed \(folder.path)/\(left), which a run that was killed left behind\n")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + left))
  }

  @Test(.enabled(if: isInstalled("strace")))
  func aNameThatCannotBeSyncedIsAWarning() throws {
    let out = folder.path + "/out"
    let result = try runTool(
      "strace",
      [
        "-f", "-P", folder.path, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-o",
        "/dev/null", builtProgram, "convert", source, "--method", "minmax", "-q", "-o", out,
      ])
    #expect(result.status == 0)
    #expect(result.error.hasPrefix("warning: \(out) is complete, but"), "\(result.error)")
    #expect(!result.error.contains("nothing was left behind"))
    #expect(try decant("validate", out, "--against", source).status == 0)
  }

  @Test(.enabled(if: isInstalled("strace")))
  func foldersThatAreCarriedOverAreSynced() throws {
    try FileManager.default.createDirectory(
      atPath: source + "/1_Pooling/deep", withIntermediateDirectories: true)
    try folder.write("source/1_Pooling/deep/config.json", "{}")
    let log = folder.path + "/log"
    let result = try runTool(
      "strace",
      [
        "-f", "-y", "-e", "trace=fsync", "-o", log, builtProgram, "convert", source, "--method",
        "minmax", "-q", "-o", folder.path + "/out",
      ])
    try #require(result.status == 0, "\(result.error)")
    let calls = try String(contentsOfFile: log, encoding: .utf8)
    for name in ["/1_Pooling/deep/config.json>", "/1_Pooling/deep>", "/1_Pooling>", ".partial>"] {
      #expect(calls.contains(name), "\(name)")
    }
  }
}
