import Foundation
import Testing

/// `decant generate`, run as a person runs it.
@Suite struct GenerateCommandTests {
  private let folder: Folder
  private var model: String { samplesFolder + "/small" }

  init() throws { folder = try Folder() }

  private func generate(_ model: String, _ words: String...) throws -> ToolResult {
    try runTool(builtProgram, ["generate", model] + words)
  }

  private func ids(_ output: String) -> [Int] {
    output.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
  }

  /// The reference is transformers', of the beginning of the text.
  @Test func continuesAsTheReferenceDoes() throws {
    let reference = try TensorFile(samplesFolder + "/reference-logits.safetensors")
    let (tokens, logits) = (reference.integers("input_ids"), reference.values("logits"))
    let whole = try String(contentsOfFile: samplesFolder + "/eval.txt", encoding: .utf8)
    let prompt = whole.split(separator: "\n").prefix(2).joined(separator: "\n")
    let path = try folder.write(prompt, to: "prompt.txt")
    let read = ids(try runTool(builtProgram, ["tokens", model, "--text", path]).output)
    try #require(Array(tokens.prefix(read.count)) == read)
    let row = logits[(read.count - 1) * 1024..<read.count * 1024]
    let best = (row.firstIndex(of: row.max() ?? 0) ?? 0) - row.startIndex
    let result = try generate(model, "--prompt", prompt, "-n", "5", "--tokens-only")
    #expect(result.status == 0 && result.error == "")
    let made = ids(result.output)
    #expect(made.count == 5 && made[0] == best)
    #expect(result.output == made.map(String.init).joined(separator: " ") + "\n")

    // Ends where a token comes that ends a sequence; that token is not printed.
    try folder.makeFolder("copy")
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
      try FileManager.default.copyItem(
        atPath: model + "/" + name, toPath: folder.path("copy/" + name))
    }
    let end = try #require(made.last { $0 != made[0] })
    try folder.write(#"{"eos_token_id": [\#(end)]}"#, to: "copy/generation_config.json")
    let short = try generate(folder.path("copy"), "--prompt", prompt, "-n", "5", "--tokens-only")
    let before = made.prefix { $0 != end }
    #expect(ids(short.output) == Array(before))
  }

  @Test func printsTheTextOfTheTokens() throws {
    let prompt = "def __init__(self, "
    let text = try generate(model, "--prompt", prompt, "-n", "12")
    #expect(text.status == 0 && text.error == "" && text.output.hasSuffix("\n"))
    let shorter = try generate(model, "--prompt", prompt, "-n", "6")
    #expect(text.output.hasPrefix(shorter.output.dropLast()))
    #expect(text.output.count > shorter.output.count)
  }

  @Test func refusals() throws {
    #expect(try generate(model).status == 64)
    #expect(try generate(model, "--prompt", "a", "-n", "0").status == 64)
    #expect(try generate(model, "--prompt", "").status == 64)
    #expect(try generate(model, "--prompt", "a", "--kv-bits", "9").status == 64)
    let long = String(repeating: "z = 1\n", count: 1000)
    let result = try generate(model, "--prompt", long)
    #expect(result.status == 1 && result.error.contains("than the 512 positions that the model"))
  }
}
