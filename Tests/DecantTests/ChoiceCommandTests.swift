import Foundation
import Testing

/// `decant eval --choices`, run as a person runs it.
@Suite struct ChoiceCommandTests {
  private let folder: Folder
  private var model: String { samplesFolder + "/small" }
  /// Of one that is easy, for a model of source code.
  private let start = #"{"context": "def __init__(self, name):\n        self.name ", "options": "#

  init() throws { folder = try Folder() }

  private func eval(_ lines: [String], _ words: String...) throws -> ToolResult {
    let path = try folder.write(lines.joined(separator: "\n"), to: "questions.jsonl")
    return try runTool(builtProgram, ["eval", model, "--choices", path] + words)
  }

  @Test func countsRightAnswers() throws {
    // The same question with each of its options as the right one: one of them is found right.
    let lines = (0..<4).map { start + #"["= name", "zebra", "% %", "7"], "answer": \#($0)}"# }
    let result = try eval(lines, "--json", "--jobs", "2")
    #expect(result.status == 0, "\(result.error)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let found = try #require(object as? [String: Any])
    #expect(found["questions"] as? Int == 4 && found["path"] as? String == model)
    for name in ["accuracy", "accuracy_norm"] {
      #expect(found[name] as? Double == 0.25)
      // sqrt(0.25 · 0.75 / 3)
      #expect(found[name + "_error"] as? Double == 0.25)
    }
    let logLikelihoods = try #require(found["log_likelihoods"] as? [[Double]])
    #expect(logLikelihoods.count == 4 && Set(logLikelihoods).count == 1)
    #expect(logLikelihoods[0].count == 4 && logLikelihoods[0].allSatisfy { $0 < 0 })
    #expect(try #require(found["peak_memory_bytes"] as? Int) > 1 << 20)
    #expect(found.count == 8)
    let right = try eval([lines[0]])
    #expect(
      right.output.hasPrefix(
        """
        \(model): 1 questions
        accuracy                     1.0000
        accuracy, length-normalised  1.0000
        peak memory\u{20}
        """))
    let all = try eval(lines)
    #expect(all.output.contains("0.2500  +- 0.2500") || all.output.contains("0.2500  ± 0.2500"))
  }

  @Test(
    arguments: [
      (#"["a", "b"]}"#, "there is no 'answer' that is a whole number"),
      (#"["a"], "answer": 0}"#, "'options' has 1; a question has two or more"),
      (#"["a", "b"], "answer": 2}"#, "'answer' is 2; options count from 0 to 1"),
      (#"["a", ""], "answer": 0}"#, "option 1 is empty"),
      (#"["a", "b"], "answer": 0"#, "the JSON ends early"),
    ])
  func aWrongLineIsNamed(_ end: String, _ message: String) throws {
    let result = try eval([start + #"["a", "b"], "answer": 0}"#, start + end])
    #expect(result.status == 1 && result.output == "")
    #expect(result.error.hasPrefix("error: \(folder.path("questions.jsonl")), line 2: \(message)"))
  }

  @Test func whatIsNotUTF8IsNamed() throws {
    let path = try folder.write(Array(start.utf8) + [0x22, 0xFF], to: "questions.jsonl")
    let result = try runTool(builtProgram, ["eval", model, "--choices", path])
    #expect(result.status == 1 && result.error.contains("line 1: "))
    #expect(result.error.contains("UTF-8"))
  }

  @Test func aFileWithoutQuestions() throws {
    let result = try eval([])
    #expect(result.status == 1 && result.error.contains("the file has no questions"))
  }

  @Test func optionsOfTextsAreRefused() throws {
    for option in ["--against", "--text", "--tokens", "--context", "--tokens-limit"] {
      let result = try eval([], option, "7")
      #expect(result.status == 64)
      #expect(
        result.error.hasPrefix(
          "error: '\(option)' is about a text, and '--choices' has questions\n"))
    }
  }
}
