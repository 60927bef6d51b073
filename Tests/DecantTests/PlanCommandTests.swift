import Formats
import Foundation
import Testing

@testable import decant

/// `decant plan` and `decant convert --plan` as programs, on the sample model.
@Suite struct PlanCommandTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private static let source = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../samples/small").standardizedFileURL.path(percentEncoded: false)

  private var planPath: String { folder.path + "/plan.json" }

  /// Few widths, the fast method and a small sample.
  private static let quick = [
    "--allow-bits", "3,4", "--allow-groups", "64", "--method", "minmax", "--sample", "4096",
  ]

  private func decant(_ arguments: String...) throws -> ToolResult {
    try runTool(builtProgram, arguments)
  }

  private func plan(_ arguments: String...) throws -> ToolResult {
    try runTool(builtProgram, ["plan", Self.source] + Self.quick + arguments)
  }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  /// With the tie the override binds keys and values too, which one width for all knows nothing of.
  @Test func aPresetThatTiesExceedIsRefused() throws {
    let result = try decant(
      "plan", Self.source, "--preset", "general", "--tie", "qkv", "--override", "*.q_proj=8:64",
      "--allow-bits", "4,8", "--allow-groups", "64", "--method", "minmax", "--sample", "4096")
    #expect(result.status == 1)
    #expect(
      result.error.hasPrefix("error: no plan fits the size of 4 bits in groups of 64: the smallest")
    )
  }

  @Test func oneBudgetIsNeeded() throws {
    let none = try decant("plan", Self.source)
    #expect(
      none.error == """
        error: no budget given
        hint: give one of --target-bpw, --target-size, --max-error, --min-sqnr, --max-kl and --preset

        """)
    #expect(none.status == 64)
    let two = try decant("plan", Self.source, "--target-bpw", "4", "--target-size", "1MB")
    #expect(two.error.hasPrefix("error: more than one budget given\n"))
    #expect(two.status == 64)
  }

  @Test(arguments: [
    ("--allow-bits", "7"), ("--allow-bits", "4,,8"), ("--allow-bits", "4, 8"),
    ("--allow-bits", ""), ("--allow-groups", "16"), ("--allow-groups", "64;128"),
    ("--tie", "q,k"), ("--sample", "10"), ("--sample", "some"), ("--target-bpw", "-1"),
    ("--target-bpw", "0"), ("--target-bpw", "nan"), ("--target-bpw", "1e999"),
    ("--target-size", "much"), ("--target-size", "400000"), ("--memory", "24"),
    ("--context", "32q"),
    ("--jobs", "0"),
  ]) func whatIsNoValueIsAnErrorOfUse(_ option: String, _ value: String) throws {
    let budget = option.hasPrefix("--target") ? [] : ["--target-bpw", "4"]
    let result = try runTool(
      builtProgram, ["plan", Self.source, option + "=" + value] + budget)
    #expect(result.status == 64, "\(result.error)")
    #expect(result.output == "")
    #expect(result.error.contains("'--\(option.dropFirst(2))'"))
  }

  @Test(arguments: [
    ["plan", "--target-bpw", "4", "--override", "lm_head"],
    ["plan", "--target-bpw", "4", "--override", "lm_head=7"],
    ["plan", "--target-bpw", "4", "--keep", "re:("], ["stats", "--filter", "re:("],
    ["convert", "-o", "out.npz"],
  ]) func whatNoModelMakesRightIsAnErrorOfUse(_ words: [String]) throws {
    let result = try runTool(builtProgram, [words[0], Self.source] + words.dropFirst())
    #expect(result.status == 64, "\(result.error)")
    #expect(result.output == "" && result.error.contains("\nhint: "))
  }

  @Test func memoryWithoutAUnitNamesTheUnits() throws {
    let result = try plan("--target-bpw", "4", "--memory", "24")
    #expect(
      result.error == """
        error: '24' is no value for '--memory': it has no unit
        hint: write '24GB', or another unit: B, KB, MB, GB, TB (powers of 1,000; K, M, G, T for short) or \
        KiB, MiB, GiB, TiB (powers of 1,024)

        """)
    #expect(result.status == 64)
  }

  @Test func anSQNRThatNoPlanReachesIsNamedInDecibels() throws {
    let result = try plan("--min-sqnr", "90dB")
    #expect(result.status == 1)
    #expect(
      result.error.contains(
        "no plan has a mean relative error of 1e-09 (90.0 dB): the least possible is "))
    #expect(result.error.firstMatch(of: /possible is 0\.\d+ \(\d+\.\d dB\)/) != nil)
  }

  @Test func aContextOf32kIs32768Tokens() throws {
    let result = try plan("--target-bpw", "4", "--context", "32k", "--json")
    let json = try JSONValue(parsing: Array(result.output.utf8))
    #expect(json["memory"]?["context"] == .integer(32_768), "\(result.error)")
  }

  @Test func aPlanIsWrittenAndConvertedWith() throws {
    let made = try plan("--target-bpw", "4", "-o", planPath)
    #expect(made.status == 0, "\(made.error)")
    #expect(made.output.contains("bits per weight"))
    let json = try JSONValue(parsing: Array(try Data(contentsOf: URL(filePath: planPath))))
    let predicted = try #require(json["totals"]?["predicted_bytes"]?.intValue)
    #expect(try #require(json["totals"]?["bits_per_weight"]?.doubleValue) <= 4)
    #expect(json["request"]?["target_bpw"] == "4")
    #expect(json["request"]?["allow_bits"] == "3,4")

    let converted = try decant(
      "convert", Self.source, "--plan", planPath, "-o", folder.path + "/out", "--json")
    #expect(converted.status == 0, "\(converted.error)")
    let report = try JSONValue(parsing: Array(converted.output.utf8))
    #expect(report["output_bytes"]?.intValue == predicted)
    let sizes = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out").map {
      try Data(contentsOf: URL(filePath: folder.path + "/out/" + $0)).count
    }
    #expect(sizes.reduce(0, +) == predicted)
    #expect(try decant("validate", folder.path + "/out", "--against", Self.source).status == 0)
  }

  @Test func jsonOnStandardOutputIsThePlan() throws {
    let result = try plan("--target-bpw", "4", "-o", planPath, "--json")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output == (try String(contentsOfFile: planPath, encoding: .utf8)))
    let again = try plan("--target-bpw", "4", "--json", "-j", "7")
    #expect(again.output == result.output)
  }

  @Test func anExistingFileStaysUnlessForced() throws {
    try folder.write("plan.json", "precious")
    let refused = try plan("--target-bpw", "4", "-o", planPath)
    #expect(refused.status == 1)
    #expect(refused.error.contains("plan.json"))
    #expect(try String(contentsOfFile: planPath, encoding: .utf8) == "precious")
    #expect(try entries() == ["plan.json"])
    #expect(try plan("--target-bpw", "4", "-o", planPath, "--force", "-q").status == 0)
    #expect(try String(contentsOfFile: planPath, encoding: .utf8).hasPrefix("{\n"))
    #expect(try entries() == ["plan.json"])
  }

  @Test(arguments: [
    ["--target-bpw", "2"], ["--target-size", "1kB"], ["--max-error", "1e-9"],
    ["--min-sqnr", "90"], ["--target-bpw", "4", "--override", "lm_hed=8"],
    ["--target-bpw", "4", "--keep", "lm_hed"],
    ["--target-bpw", "4", "--activations", "/nowhere.safetensors"],
  ]) func aFailureLeavesNothingBehind(_ arguments: [String]) throws {
    let result = try runTool(
      builtProgram, ["plan", Self.source] + Self.quick + arguments + ["-o", planPath])
    #expect(result.status == 1)
    #expect(result.error.hasPrefix("error: "))
    #expect(result.error.contains("\nhint: ") || result.error.contains("/nowhere"))
    #expect(try entries() == [])
  }

  @Test(arguments: [
    ["--bits", "4"], ["--group-size", "64"], ["--method", "minmax"], ["--scale-dtype", "f16"],
    ["--override", "lm_head=8"], ["--keep", "lm_head"],
  ]) func aPlanSettlesWhatOptionsWouldSay(_ arguments: [String]) throws {
    let result = try runTool(
      builtProgram,
      ["convert", Self.source, "--plan", planPath, "-o", folder.path + "/out"] + arguments)
    #expect(
      result.error == """
        error: \(arguments[0]) and --plan cannot be given together
        hint: edit the plan, or make another with 'decant plan'

        """)
    #expect(result.status == 64)
    #expect(try entries() == [])
  }

  @Test func aPlanThatIsNoneLeavesNothingBehind() throws {
    try folder.write("plan.json", "{}")
    let result = try decant("convert", Self.source, "--plan", planPath, "-o", folder.path + "/out")
    #expect(result.status == 1)
    #expect(result.error.contains("is no plan: format_version must be a whole number"))
    #expect(try entries() == ["plan.json"])
  }

  @Test func theCurveIsShownWhenAskedFor() throws {
    let plain = try plan("--target-bpw", "4")
    let curve = try plan("--target-bpw", "4", "--curve")
    #expect(curve.output.hasPrefix(plain.output))
    #expect(curve.output.count > plain.output.count + 500)
  }
}
