import Foundation
import TestSupport
import Testing

/// `decant eval`, run as a person runs it.
@Suite struct EvalCommandTests {
  private let folder: Folder
  private let reference: TensorFile
  private var model: String { samplesFolder + "/small" }

  init() throws {
    folder = try Folder()
    reference = try TensorFile(samplesFolder + "/reference-logits.safetensors")
    let tokens = reference.integers("input_ids").map(String.init).joined(separator: " ")
    try folder.write(tokens + "\n", to: "ids")
  }

  private func eval(_ words: String...) throws -> ToolResult {
    try runTool(builtProgram, ["eval", model, "--tokens", folder.path("ids")] + words)
  }

  private func json(_ result: ToolResult) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func measuresTheReferenceLoss() throws {
    let result = try eval("--json", "--jobs", "2")
    #expect(result.status == 0, "\(result.error)")
    let found = try json(result)
    let losses = reference.values("nll")
    let mean = losses.reduce(0, +) / Double(losses.count)
    #expect(abs(try #require(found["nll"] as? Double) - mean) < 1e-5)
    #expect(abs(try #require(found["perplexity"] as? Double) - exp(mean)) < 1e-3)
    #expect(found["tokens"] as? Int == 255 && found["context"] as? Int == 256)
    #expect(found["kl_mean"] == nil)
  }

  @Test func comparesAPackedModelWithItsSource() throws {
    let packed = folder.path("packed")
    #expect(
      try runTool(builtProgram, ["convert", model, "-o", packed, "--method", "minmax", "-q"]).status
        == 0)
    let result = try runTool(
      builtProgram,
      [
        "eval", packed, "--tokens", folder.path("ids"), "--against", model, "--context", "64",
        "--json",
      ])
    #expect(result.status == 0, "\(result.error)")
    let found = try json(result)
    #expect(found["tokens"] as? Int == 4 * 63)
    let divergence = try #require(found["kl_mean"] as? Double)
    #expect(divergence > 1e-3 && divergence < 0.2)
    let (nll, base) = (
      try #require(found["nll"] as? Double), try #require(found["base_nll"] as? Double)
    )
    #expect(abs(try #require(found["delta_nll"] as? Double) - (nll - base)) < 1e-12)
    #expect(try #require(found["same_top"] as? Double) > 0.8)
  }

  @Test func textNamesWindowsAndErrors() throws {
    let result = try eval("--context", "100", "--tokens-limit", "200")
    #expect(result.status == 0)
    #expect(result.output.contains("198 tokens scored, windows of 100"))
    #expect(result.output.contains("perplexity"))
  }

  @Test func refusals() throws {
    #expect(try runTool(builtProgram, ["eval", model]).status == 64)
    #expect(try eval("--context", "1").status == 64)
    let long = try eval("--context", "300")
    #expect(long.status == 1 && long.error.contains("there are 256 tokens; a window takes 300"))
    try folder.write("1 2 x", to: "ids")
    let bad = try eval()
    #expect(bad.status == 1 && bad.error.contains("'x'"))
  }
}
