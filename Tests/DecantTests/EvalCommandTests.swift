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

  private func eval(_ words: String...) throws -> ToolResult { try eval(words) }

  private func eval(_ words: [String]) throws -> ToolResult {
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

  /// A bound changes what is in memory, not the result; one that is too small names what is needed.
  @Test func aBoundOnMemoryIsKept() throws {
    let free = try json(eval("--context", "64", "--json"))
    let bound = try eval("--context", "64", "--json", "--max-memory", "150MB", "--jobs", "1")
    #expect(bound.status == 0, "\(bound.error)")
    let found = try json(bound)
    #expect(found["nll"] as? Double == free["nll"] as? Double)
    #expect(try #require(found["peak_memory_bytes"] as? Int) < 150_000_000)
    let small = try eval("--max-memory", "1MB")
    #expect(small.status == 1 && small.error.contains("a window of 256 tokens takes "))
    #expect(small.error.contains("1 MB are allowed"))
    let stray = try runTool(builtProgram, ["stats", model, "--max-memory", "1GB"])
    #expect(stray.status == 64 && stray.error.contains("'--max-memory' needs a text"))
  }

  @Test func quantizesWhileItRuns() throws {
    let result = try eval(
      "--w-bits", "4", "--a-bits", "8", "--kv-bits", "4", "--context", "64", "--json")
    #expect(result.status == 0, "\(result.error)")
    let found = try json(result)
    #expect(found["point"] as? String == "W4A8KV4")
    #expect(found["w_bits"] as? Int == 4 && found["kv_bits"] as? Int == 4)
    let groups = try #require(found["weight_groups"] as? [[String: Int]])
    #expect(groups == [["group_size": 128, "weights": 28]])
    let plain = try json(eval("--context", "64", "--json"))
    #expect(found["base_nll"] as? Double == plain["nll"] as? Double)
    #expect(try #require(found["kl_mean"] as? Double) > 1e-3)
    let text = try eval("--w-bits", "4", "--group-size", "32", "--context", "64")
    #expect(text.output.contains("quantized to W4: weights 28 in groups of 32"))
    #expect(text.output.contains("perplexity, unquantized"))
  }

  @Test func sweepsTheGridOfThePaper() throws {
    let short = ["--context", "64", "--tokens-limit", "128"]
    let result = try eval(["--sweep", "qllm", "--json"] + short)
    #expect(result.status == 0, "\(result.error)")
    let found = try json(result)
    let points = try #require(found["points"] as? [[String: Any]])
    #expect(
      points.map { $0["point"] as? String } == [
        "unquantized", "W8", "W4", "W3", "W2", "W8A8", "W4A8", "W4A4", "KV8", "KV4", "KV3", "KV2",
        "W8KV8", "W8KV4", "W4KV4",
      ])
    #expect(points[0]["nll"] as? Double == found["nll"] as? Double)
    // A point alone says the same.
    let alone = try json(eval(["--w-bits", "4", "--kv-bits", "4", "--json"] + short))
    for name in ["nll", "kl_mean", "delta_nll", "same_top"] {
      #expect(points[14][name] as? Double == alone[name] as? Double)
    }
    let findings = try #require(found["findings"] as? [String])
    #expect(findings.last?.contains("0.0202") == true)
    let text = try eval(["--sweep", "qllm"] + short).output
    #expect(text.contains("weights 28 in groups of 128\n"))
    #expect(text.contains("advised against"))
  }

  @Test func refusalsOfQuantization() throws {
    for words in [
      ["--w-bits", "7"], ["--w-bits", "1"], ["--a-bits", "9"], ["--kv-bits", "16"],
      ["--w-bits", "4", "--group-size", "100"], ["--a-bits", "8", "--group-size", "64"],
      ["--sweep", "other"], ["--sweep", "qllm", "--w-bits", "4"],
      ["--sweep", "qllm", "--against", model], ["--kv-bits", "4", "--against", model],
    ] {
      let result = try runTool(
        builtProgram, ["eval", model, "--tokens", folder.path("ids")] + words)
      #expect(result.status == 64 && result.output.isEmpty, "\(words)")
    }
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

  @Test func smoothingSaysWhatItNeeds() throws {
    for (words, message) in [
      (["--a-bits", "8", "--smooth", "auto"], "there is no '--calibration'"),
      (["--w-bits", "8", "--smooth", "0.5", "--calibration", "cal"], "none are quantized"),
      (["--a-bits", "8", "--calibration", "cal"], "nothing is smoothed"),
      (["--a-bits", "8", "--smooth", "1.5", "--calibration", "cal"], "a number from 0 to 1"),
    ] {
      let result = try eval(words)
      #expect(result.status == 64 && result.error.contains(message), "\(words): \(result.error)")
    }
  }
}
