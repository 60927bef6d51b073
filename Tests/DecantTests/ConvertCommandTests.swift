import Formats
import Foundation
import TestSupport
import Testing

/// `decant convert` as a program: what is no failure and should be known.
@Suite struct ConvertCommandTests {
  /// A head and an embedding that differ, which the configuration ties.
  private func writeUntied(_ folder: Folder) throws -> String {
    let source = folder.path + "/source"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
    var noise = Noise(seed: 3)
    let tensors = ["lm_head.weight", "model.embed_tokens.weight", "model.odd"].map { name in
      TestTensor(
        name, "BF16", [64, 64],
        bytes: (0..<64 * 64).flatMap { _ in
          [UInt8.random(in: 0...255, using: &noise), UInt8.random(in: 0x3C...0x3F, using: &noise)]
        })
    }
    try Data(safetensors(tensors)).write(to: URL(filePath: source + "/model.safetensors"))
    try Data(#"{"model_type": "llama", "tie_word_embeddings": true}"#.utf8).write(
      to: URL(filePath: source + "/config.json"))
    return source
  }

  private let warning =
    "config.json ties 'lm_head.weight' to 'model.embed_tokens.weight', but their bytes differ:"
    + " both are kept apart, and tie_word_embeddings becomes false"

  @Test func aTieThatIsNoneIsToldOf() throws {
    let folder = try Folder()
    let source = try writeUntied(folder)
    let result = try runTool(
      builtProgram, ["convert", source, "-o", folder.path + "/out", "-q", "--json"])
    #expect(result.error == "warning: \(warning)\n")
    #expect(result.status == 0)
    let report = try JSONValue(parsing: Array(result.output.utf8))
    #expect(report["warnings"] == [.string(warning)])
    let stats = try runTool(builtProgram, ["stats", source, "-q", "--json"])
    #expect(stats.status == 0 && stats.error == "")
  }

  @Test func methodsThatNeedACalibrationSayWhatIsMissing() throws {
    let folder = try Folder()
    let source = try writeUntied(folder)
    let result = try runTool(
      builtProgram, ["convert", source, "-o", folder.path + "/out", "--method", "gptq"])
    #expect(result.status == 64)
    #expect(
      result.error.contains("--method gptq needs the Gram matrices of the inputs")
        && result.error.contains("--gram"))
  }

  /// On what the calibration saw; FIDELITY.md tells of other texts.
  @Test func aCalibratedConversionIsNearerToItsSource() throws {
    let folder = try Folder()
    let model = samplesFolder + "/small"
    let reference = try TensorFile(samplesFolder + "/reference-logits.safetensors")
    let ids = reference.integers("input_ids").prefix(96).map(String.init).joined(separator: " ")
    try folder.write(ids + "\n", to: "ids")
    let calibration = folder.path("cal.safetensors")
    func run(_ words: String...) throws -> JSONValue {
      let result = try runTool(builtProgram, words + ["--json", "-q"])
      #expect(result.status == 0, "\(result.error)")
      return try JSONValue(parsing: Array(result.output.utf8))
    }
    let calibrated = try runTool(
      builtProgram,
      ["calibrate", model, "--tokens", folder.path("ids"), "--gram", "-o", calibration, "-q"])
    #expect(calibrated.status == 0, "\(calibrated.error)")
    var divergences: [Double] = []
    for method in ["search", "gptq"] {
      let out = folder.path(method)
      let report = try run(
        "convert", model, "-o", out, "--bits", "2", "--method", method, "--calibration",
        calibration)
      let methods = Set(
        report["tensors"]?.arrayValue?.compactMap { $0["method"]?.stringValue } ?? [])
      #expect(methods == (method == "gptq" ? ["gptq", "search"] : ["search"]))
      let found = try run("eval", out, "--tokens", folder.path("ids"), "--against", model)
      divergences.append(try #require(found["kl_mean"]?.doubleValue))
    }
    #expect(divergences[1] < 0.8 * divergences[0])
  }

  /// What decant knows nothing of is not said to be kept on purpose.
  @Test func anUnknownNameDidNotFit() throws {
    let folder = try Folder()
    let source = try writeUntied(folder)
    let result = try runTool(
      builtProgram, ["convert", source, "-o", folder.path + "/out", "--dry-run", "--json"])
    let report = try JSONValue(parsing: Array(result.output.utf8))
    let odd = report["tensors"]?.arrayValue?.first { $0["name"] == "model.odd" }
    #expect(odd?["standing"] == "unfit")
    #expect(
      odd?["reason"] == "a matrix, but not the weight of a linear layer by its name")
    #expect(report["coverage"]?["kept"]?.doubleValue == 0)
    #expect((report["coverage"]?["unfit"]?.doubleValue ?? 0) > 0.3)
  }
}
