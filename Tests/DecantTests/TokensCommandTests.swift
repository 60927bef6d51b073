import Foundation
import Testing

@testable import decant

@Suite struct TokensCommandTests {
  private let folder: Folder
  private let model = SharedFixture.path("tokenizers/opt")

  init() throws { folder = try Folder() }

  private func tokens(_ arguments: String...) throws -> ToolResult {
    try runTool(builtProgram, ["tokens"] + arguments)
  }

  @Test func aFileBecomesOneLine() throws {
    let text = try folder.write("the cat", to: "text.txt")
    let plain = try tokens(model, "--text", text, "--no-special-tokens")
    #expect(plain.status == 0 && plain.error == "")
    let marked = try tokens(model + "/tokenizer.json", "--text", text)
    #expect(marked.output == "2 " + plain.output)
    let ids = plain.output.dropLast().split(separator: " ").compactMap { Int($0) }
    #expect(!ids.isEmpty && plain.output == ids.map(String.init).joined(separator: " ") + "\n")
  }

  @Test func standardInputIsTheTextWhereNoneIsNamed() throws {
    let named = try tokens(model, "--text", try folder.write("the cat\n", to: "text.txt"))
    let piped = try runTool(
      "bash", ["-c", "echo the cat | \"$1\" tokens \"$2\"", "bash", builtProgram, model])
    #expect(piped.status == 0 && piped.output == named.output)
    // The tests give their programs nothing to read.
    #expect(try tokens(model).output == "2\n")
    #expect(try tokens(model, "--no-special-tokens").output == "\n")
  }

  @Test func linesBecomeLines() throws {
    let lines = [
      #"{"text": "the cat"}"#, #"{"id": 7, "text": ""}"#, #"{"text": "the \u0063at"}"#,
    ].joined(separator: "\n")
    let result = try tokens(model, "--jsonl", try folder.write(lines, to: "texts.jsonl"))
    let ids = try tokens(model, "--text", try folder.write("the cat", to: "text.txt")).output
    let line = #"{"ids": ["# + ids.dropLast().replacing(" ", with: ", ") + "]}\n"
    #expect(result.output == line + "{\"ids\": [2]}\n" + line)
    #expect(result.status == 0 && result.error == "")
  }

  @Test(
    arguments: [
      ("{\"text\": \"a\"}\n{\"txt\": \"b\"}\n", "line 2: no text 'text'"),
      ("{\"text\": 1}\n", "line 1: no text 'text'"), ("\n", "line 1: the JSON ends early"),
      ("{\"text\": \"a\"}\n\n", "line 2: the JSON ends early (byte 0 of the line)"),
      ("[]", "line 1: no text 'text'"),
    ])
  func aLineWithoutTextIsNamed(_ lines: String, _ message: String) throws {
    let path = try folder.write(lines, to: "texts.jsonl")
    let result = try tokens(model, "--jsonl", path)
    #expect(result.status == 1)
    #expect(result.error.hasPrefix("error: \(path), \(message)"))
  }

  @Test func whatIsNotUTF8IsNamed() throws {
    let path = try folder.write([0x61, 0x62, 0xFF], to: "text.txt")
    let result = try tokens(model, "--text", path)
    #expect(result.error == "error: the text is not UTF-8 at byte 2\n")
    #expect(result.status == 1 && result.output == "")
  }

  @Test func aFolderWithoutTokenizerSaysWhatItHas() throws {
    try folder.write("x", to: "tokenizer.model")
    let result = try tokens(folder.path)
    #expect(
      result.error == """
        error: \(folder.path) has no tokenizer.json, and tokenizer.model is not supported
        hint: save the tokenizer with transformers, which writes a tokenizer.json

        """)
    #expect(result.status == 1)
  }

  @Test func textAndLinesExcludeEachOther() throws {
    let result = try tokens(model, "--text", "a", "--jsonl", "b")
    #expect(result.error.hasPrefix("error: '--text' and '--jsonl' both name what to read\n"))
    #expect(result.status == 64)
  }

  @Test func aFileThatIsMissingIsNamed() throws {
    let path = folder.path("none.txt")
    for option in ["--text", "--jsonl"] {
      let result = try tokens(model, option, path)
      #expect(result.error == "error: no such file or directory: \(path)\n")
      #expect(result.status == 1)
    }
  }
}
