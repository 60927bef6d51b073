import Formats
import Foundation
import Testing

/// `decant calibrate`, and what is made of its file, as a person runs it.
@Suite struct CalibrateCommandTests {
  private let folder: Folder
  private var model: String { samplesFolder + "/small" }
  private var file: String { folder.path("cal.safetensors") }
  private let text = samplesFolder + "/eval.txt"
  private let tokens = ["--tokens-limit", "256", "--context", "128"]

  init() throws { folder = try Folder() }

  private func decant(_ words: [String]) throws -> ToolResult {
    try runTool(builtProgram, words)
  }

  private func calibrate(_ words: String...) throws -> ToolResult {
    try decant(["calibrate", model, "--text", text, "-o", file] + tokens + words)
  }

  private static let quick = [
    "--target-bpw", "4", "--allow-bits", "3,4", "--allow-groups", "64", "--sample", "4096",
    "--kv-budget", "5", "--json",
  ]

  /// A plan of the text and one of the file choose the same, for the same reasons.
  @Test func aPlanIsThatOfTheText() throws {
    // `plan` has windows of the usual length: the limit is one of those.
    let made = try decant(
      ["calibrate", model, "--text", text, "-o", file, "--tokens-limit", "512", "--json"])
    #expect(made.status == 0, "\(made.error)")
    let json = try JSONValue(parsing: Array(made.output.utf8))
    #expect(json["tokens"]?.intValue == 512 && json["grams"]?.intValue == 0)
    #expect(json["cache"]?.intValue == 8)
    #expect(json["bytes"]?.intValue == (try Data(contentsOf: URL(filePath: file))).count)
    func plan(_ words: [String]) throws -> JSONValue {
      let result = try decant(["plan", model] + Self.quick + words)
      #expect(result.status == 0, "\(result.error)")
      return try JSONValue(parsing: Array(result.output.utf8))
    }
    let ofFile = try plan(["--calibration", file])
    let ofText = try plan(["--text", text, "--tokens-limit", "512"])
    for member in ["tensors", "kv_cache", "activations", "curve"] {
      #expect(ofFile[member] == ofText[member], "\(member)")
    }
    // The file is on record as what the plan was made from.
    #expect(ofFile["dumps"]?.arrayValue?.first?["file"]?.stringValue == "cal.safetensors")
  }

  /// What inputs count goes into the bytes of a conversion, and its checksum into the manifest.
  @Test func aConversionFollowsIt() throws {
    #expect(try calibrate().status == 0)
    let (with, without) = (folder.path("with.safetensors"), folder.path("without.safetensors"))
    let result = try decant(["convert", model, "-o", with, "--calibration", file])
    #expect(result.status == 0, "\(result.error)")
    #expect(try decant(["convert", model, "-o", without]).status == 0)
    #expect(
      try Data(contentsOf: URL(filePath: with)) != Data(contentsOf: URL(filePath: without)))
    let shown = try Data(contentsOf: URL(filePath: with))
    #expect(shown.range(of: Data("cal.safetensors".utf8)) != nil)
    #expect(try decant(["validate", with, "--against", model]).status == 0)
  }

  /// Channels are scaled, on record, and held against the source; what was trained on it is not merged.
  @Test func aConversionScalesChannels() throws {
    #expect(try calibrate().status == 0)
    let out = folder.path("out")
    let result = try decant([
      "convert", model, "-o", out, "--bits", "3", "--smooth", "0.5", "--calibration", file,
      "--json",
    ])
    #expect(result.status == 0, "\(result.error)")
    // At most two norms, values and up projection in each of four layers.
    let json = try JSONValue(parsing: Array(result.output.utf8))
    let folds = try #require(json["folds"]?.intValue)
    #expect(folds > 0 && folds <= 16)
    #expect(try decant(["validate", out, "--against", model]).status == 0)
    let merged = try decant([
      "merge", out, "--adapter", samplesFolder + "/adapter", "-o", folder.path("merged"),
    ])
    #expect(merged.status == 1 && merged.error.contains("channels of \(out) were scaled"))
    let convert = ["convert", model, "-o", folder.path("again"), "--calibration", file]
    for (words, part) in [
      (["--smooth", "1.5"], "a number from 0 to 1, or auto"),
      (["--smooth", "auto", "--adapter", samplesFolder + "/adapter"], "--smooth and --adapter"),
      (["--smooth", "auto", "--requantize"], "--smooth and --requantize"),
    ] {
      let refused = try decant(convert + words)
      #expect(refused.status == 64 && refused.error.contains(part), "\(refused.error)")
    }
    let bare = try decant(["convert", model, "-o", folder.path("again"), "--smooth", "auto"])
    #expect(bare.status == 64 && bare.error.contains("there is no --calibration"))
    let packed = try decant([
      "convert", out, "-o", folder.path("again"), "--smooth", "auto", "--calibration", file,
    ])
    #expect(packed.status == 1)
    #expect(!FileManager.default.fileExists(atPath: folder.path("again")))
  }

  @Test func refusals() throws {
    func refused(_ words: [String], _ status: Int32, _ part: String) throws {
      let result = try decant(words)
      #expect(result.status == status, "\(words): \(result.error)")
      #expect(result.error.contains(part), "\(result.error)")
      #expect(result.output == "")
    }
    try refused(["calibrate", model, "--text", text], 64, "--output")
    try refused(["calibrate", model, "-o", file], 64, "there is no text to read")
    let base = ["calibrate", model, "--text", text, "-o", file] + tokens
    try refused(base + ["--sensitivity-tokens", "64"], 64, "without --sensitivity")
    try refused(
      ["calibrate", model, "--text", text, "-o", model + "/model.safetensors", "--force"] + tokens,
      1, "model.safetensors")
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(try calibrate().status == 0)
    try refused(base, 1, "exists")
    try refused(
      ["plan", model, "--target-bpw", "4", "--text", text, "--calibration", file], 64,
      "leave one of them out")
    try refused(
      ["plan", model, "--max-kl", "0.1", "--calibration", file], 1, "--sensitivity")
    try refused(
      ["convert", model, "-o", folder.path("out"), "--method", "minmax", "--calibration", file], 64,
      "changes nothing")
    // One byte of the weights, and the file is of another model.
    try folder.makeFolder("copy")
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: model + "/" + name, toPath: folder.path("copy/" + name))
    }
    let copy = folder.path("copy/model.safetensors")
    var bytes = try Data(contentsOf: URL(filePath: copy))
    bytes[bytes.count - 2] ^= 1
    try bytes.write(to: URL(filePath: copy))
    try refused(
      ["convert", folder.path("copy"), "-o", folder.path("out"), "--calibration", file], 1,
      "was made with another model")
    #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
  }
}
