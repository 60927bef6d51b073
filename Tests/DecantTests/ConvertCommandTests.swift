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
