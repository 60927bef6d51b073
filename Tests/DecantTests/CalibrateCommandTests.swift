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
    // `plan` has windows of the usual length: the limit is less than one of those.
    let made = try decant(
      [
        "calibrate", model, "--text", text, "-o", file, "--tokens-limit", "128", "--sensitivity",
        "--json",
      ])
    #expect(made.status == 0, "\(made.error)")
    let json = try JSONValue(parsing: Array(made.output.utf8))
    #expect(json["tokens"]?.intValue == 128 && json["grams"]?.intValue == 0)
    #expect(json["cache"]?.intValue == 8)
    #expect(json["bytes"]?.intValue == (try Data(contentsOf: URL(filePath: file))).count)
    func plan(_ words: [String]) throws -> JSONValue {
      let result = try decant(["plan", model] + Self.quick + words)
      #expect(result.status == 0, "\(result.error)")
      return try JSONValue(parsing: Array(result.output.utf8))
    }
    let ofFile = try plan(["--calibration", file])
    let ofText = try plan(["--text", text, "--tokens-limit", "128"])
    for member in ["tensors", "kv_cache", "activations", "curve"] {
      #expect(ofFile[member] == ofText[member], "\(member)")
    }
    // The calibration or the text is on record as what the plan was made from.
    #expect(ofFile["dumps"]?.arrayValue?.first?["file"]?.stringValue == "cal.safetensors")
    #expect(ofText["dumps"]?.arrayValue?.first?["file"]?.stringValue == "eval.txt")
    #expect(ofText["totals"]?["predicted_kl"] != nil)
  }

  /// One command does what `calibrate`, `plan`, `convert` and `eval` do one after the other.
  @Test func oneCommandIsFour() throws {
    let ids = try decant(["tokens", model, "--text", text]).output
      .split(whereSeparator: \.isWhitespace).prefix(512).joined(separator: " ")
    let (known, held) = (folder.path("known"), folder.path("held"))
    let words = ids.split(separator: " ")
    for (path, part) in [(known, words.prefix(384)), (held, words.suffix(128))] {
      try part.joined(separator: " ").write(toFile: path, atomically: true, encoding: .utf8)
    }
    let (whole, steps) = (folder.path("whole"), folder.path("steps"))
    let plan = folder.path("plan.json")
    let at = ["--context", "128"]
    let made = try decant(
      [
        "convert", model, "-o", whole, "--target-bpw", "3", "--text", text, "--tokens-limit", "512",
        "--sensitivity-tokens", "128", "--keep-calibration", file, "--json",
      ] + at)
    #expect(made.status == 0, "\(made.error)")
    let json = try JSONValue(parsing: Array(made.output.utf8))

    var predicted: Double?
    for words in [
      ["calibrate", model, "--tokens", known, "-o", folder.path("own"), "--gram", "--sensitivity"]
        + ["--sensitivity-tokens", "128"] + at,
      ["plan", model, "--calibration", file, "--target-bpw", "3", "-o", plan, "--json"],
      ["convert", model, "--calibration", file, "--plan", plan, "--method", "gptq", "-o", steps],
    ] {
      let result = try decant(words)
      #expect(result.status == 0, "\(words): \(result.error)")
      if words[0] == "plan" {
        predicted =
          try JSONValue(parsing: Array(result.output.utf8))["totals"]?["predicted_kl"]?.doubleValue
      }
    }
    func tensors(_ path: String) throws -> [String: Data] {
      let file = try SafetensorsFile(path: path)
      return try Dictionary(
        uniqueKeysWithValues: file.header.tensors.filter { $0.name != "calibration.json" }.map {
          var bytes = [UInt8](repeating: 0, count: $0.byteCount)
          try file.read(0..<$0.byteCount, of: $0, into: &bytes)
          return ($0.name, Data(bytes))
        })
    }
    #expect(try tensors(whole + "/model.safetensors") == tensors(steps + "/model.safetensors"))
    // What it kept is what `calibrate` makes of all but the end of the text.
    #expect(try tensors(file) == tensors(folder.path("own")))
    #expect(predicted != nil && json["predicted_kl"]?.doubleValue == predicted)
    #expect((json["bits_per_weight"]?.doubleValue ?? 9) <= 3)

    let judged = try decant(["eval", steps, "--against", model, "--tokens", held, "--json"] + at)
    #expect(judged.status == 0, "\(judged.error)")
    let evaluation = try JSONValue(parsing: Array(judged.output.utf8))
    for name in ["tokens", "nll", "base_nll", "kl_mean", "kl_error"] {
      #expect(json["evaluation"]?[name] != nil && json["evaluation"]?[name] == evaluation[name])
    }
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
    #expect(bare.status == 64 && bare.error.contains("neither a text nor a --calibration"))
    let packed = try decant([
      "convert", out, "-o", folder.path("again"), "--smooth", "auto", "--calibration", file,
    ])
    #expect(packed.status == 1)
    #expect(!FileManager.default.fileExists(atPath: folder.path("again")))
  }

  /// Codes are learned on top of gptq's, into a single file too, and what was kept makes them again.
  @Test func codesAreLearned() throws {
    let (whole, again) = (folder.path("whole.safetensors"), folder.path("again"))
    let learn = ["--bits", "2", "--method", "learn"]
    let made = try decant(
      ["convert", model, "-o", whole, "--text", text, "--keep-calibration", file, "--json"]
        + learn + ["--tokens-limit", "256", "--context", "64", "--smooth", "0.2"])
    #expect(made.status == 0, "\(made.error)")
    let json = try JSONValue(parsing: Array(made.output.utf8))
    let layers = json["learned_layers"]?.arrayValue ?? []
    #expect(layers.count == 4)
    let shares = layers.map {
      ($0["mse_after"]?.doubleValue ?? 1) / ($0["mse_before"]?.doubleValue ?? 0)
    }
    // One that nothing helps keeps its codes.
    #expect(shares.allSatisfy { $0 <= 1 } && shares.contains { $0 < 0.99 })
    let methods = (json["tensors"]?.arrayValue ?? []).compactMap { $0["method"]?.stringValue }
    #expect(methods.count { $0 == "learn" } == 28 && methods.count == 30)
    #expect(json["evaluation"]?["kl_mean"]?.doubleValue ?? 0 > 0)
    let valid = try decant(["validate", whole, "--against", model])
    #expect(valid.status == 0, "\(valid.output)")

    let second = try decant(
      ["convert", model, "-o", again, "--calibration", file, "-j", "1", "--smooth", "0.2"] + learn)
    #expect(second.status == 0, "\(second.error)")
    let (one, other) = (
      try SafetensorsFile(path: whole), try SafetensorsFile(path: again + "/model.safetensors")
    )
    #expect(one.header.tensors.map(\.name) == other.header.tensors.map(\.name))
    for (tensor, twin) in zip(one.header.tensors, other.header.tensors) {
      var bytes = [[UInt8]](repeating: [UInt8](repeating: 0, count: tensor.byteCount), count: 2)
      try one.read(0..<tensor.byteCount, of: tensor, into: &bytes[0])
      try other.read(0..<twin.byteCount, of: twin, into: &bytes[1])
      let isSame = bytes[0] == bytes[1]
      #expect(isSame, "\(tensor.name)")
    }
    // Nothing is left beside the outputs.
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names) == ["whole.safetensors", "again", "cal.safetensors"])
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
    let convert = ["convert", model, "-o", folder.path("out")]
    try refused(
      convert + ["--target-bpw", "4", "--bits", "3"], 64, "--bits and a budget")
    try refused(
      convert + ["--target-bpw", "4", "--max-kl", "1"], 64, "more than one budget")
    try refused(
      convert + ["--keep-calibration", folder.path("kept")], 64, "'--keep-calibration' needs a text"
    )
    try refused(
      convert + ["--text", text, "--sensitivity-tokens", "64"], 64, "no widths are chosen")
    try refused(
      convert + ["--text", text, "--tokens-limit", "200", "--context", "128"], 64,
      "less than two windows")
    try refused(convert + ["--text", text, "--method", "minmax"], 64, "changes nothing")
    try refused(convert + ["--text", text, "--calibration", file], 64, "leave one of them out")
    try refused(
      convert + ["--text", text, "--method", "learn", "--adapter", samplesFolder + "/adapter"], 64,
      "--method learn brings")
    // Before the model is run.
    try refused(
      ["convert", model, "-o", file, "--text", text, "--keep-calibration", folder.path("kept")], 1,
      "exists already")
    #expect(!FileManager.default.fileExists(atPath: folder.path("kept")))
    try refused(convert + ["--method", "learn"], 64, "--method learn needs the Gram matrices")
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
