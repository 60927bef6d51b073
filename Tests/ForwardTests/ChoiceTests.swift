import Convert
import Formats
import Foundation
import Model
import Testing

@testable import Forward

/// Log-likelihoods of options against those that transformers' logits give, and what is counted of them.
@Suite struct ChoiceTests {
  /// `Σ ln softmax(logits)[target]` of the last rows before the end, as it is defined.
  private func naive(_ vector: ReferenceVector, from start: Int, to end: Int) -> Double {
    let (logits, tokens) = (vector.logits.map(Double.init), vector.tokens)
    let vocabulary = logits.count / tokens.count
    return (start..<end).reduce(0) { sum, place in
      let row = logits[(place - 1) * vocabulary..<place * vocabulary]
      return sum + row[row.startIndex + tokens[place]] - log(row.reduce(0) { $0 + exp($1) })
    }
  }

  @Test(arguments: ["llama", "gemma2", "gpt2", "mixtral", "mamba", "deepseek-v3", "bloom"])
  func logLikelihoodsAreThoseOfTheReference(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let tokens = vector.tokens
    let places = [(1, 2), (5, 9), (20, 21), (30, 40), (3, 40)]
    let windows = places.map { start, end in
      ScoredWindow(tokens: Array(tokens[..<(end - 1)]), targets: Array(tokens[start..<end]))
    }
    let context = RunContext(threads: 2)
    let found = try ChoiceEvaluation(model, context).logLikelihoods(of: windows)
    for (sum, (start, end)) in zip(found, places) {
      #expect(abs(sum - naive(vector, from: start, to: end)) < 2e-4, "\(start)..<\(end)")
    }
    // A window at a time: what goes through the model together does not matter.
    var options = ForwardOptions()
    (options.blockSize, options.hiddenLimit) = (1, 0)
    let one = try ChoiceEvaluation(model, options: options, context).logLikelihoods(of: windows)
    #expect(one == found)
  }

  @Test func targetsOutsideOfTheVocabulary() throws {
    let model = try ReferenceVector("llama").model()
    #expect(throws: ForwardError.unknownToken(256, position: 0, vocabularySize: 256)) {
      try ChoiceEvaluation(model, RunContext(threads: 1))
        .logLikelihoods(of: [ScoredWindow(tokens: [1], targets: [256])])
    }
  }

  /// Four questions by hand. By sum the first, second and third are right; by length the second and third.
  @Test func accuracyOfAHandMadeExample() {
    let questions = [
      // -4 / 2 and -5 / 5: the longer option is more likely by character.
      ScoredQuestion(logLikelihoods: [-4, -5], lengths: [2, 5], answer: 0),
      ScoredQuestion(logLikelihoods: [-9, -1, -8], lengths: [3, 1, 2], answer: 1),
      // Equal ones: the first counts.
      ScoredQuestion(logLikelihoods: [-2, -2], lengths: [4, 4], answer: 0),
      ScoredQuestion(logLikelihoods: [-2, -2], lengths: [4, 4], answer: 1),
    ]
    let summary = ChoiceSummary(questions)
    #expect(summary.questionCount == 4)
    #expect(summary.accuracy.mean == 0.75 && summary.normalizedAccuracy.mean == 0.5)
    #expect(abs(summary.accuracy.standardError - 0.25) < 1e-15)
    // sqrt(0.5 · 0.5 / 3)
    #expect(abs(summary.normalizedAccuracy.standardError - 0.28867513459481287) < 1e-15)
    #expect(ChoiceSummary([questions[0]]).accuracy.standardError.isNaN)
  }

  @Test(
    arguments: [
      (
        #"{"options": ["a", "b"], "answer": 0}"#,
        ChoiceError.missing(key: "context", kind: "a text")
      ),
      (#"{"context": "", "answer": 0}"#, .missing(key: "options", kind: "a list of texts")),
      (
        #"{"context": "", "options": ["a", "b"]}"#,
        .missing(key: "answer", kind: "a whole number")
      ),
      (#"{"context": "", "options": ["a"], "answer": 0}"#, .tooFewOptions(1)),
      (#"{"context": "", "options": ["a", 1], "answer": 0}"#, .optionNotText(1)),
      (#"{"context": "", "options": ["", "b"], "answer": 0}"#, .emptyOption(0)),
      (
        #"{"context": "", "options": ["a", "b"], "answer": 2}"#,
        .answerOutOfRange(2, options: 2)
      ),
      (
        #"{"context": "", "options": ["a", "b"], "answer": -1}"#,
        .answerOutOfRange(-1, options: 2)
      ),
    ])
  func questionsAreChecked(line: String, error: ChoiceError) throws {
    let json = try JSONValue(parsing: Array(line.utf8))
    #expect(throws: error) { try ChoiceQuestion(json: json) }
  }
}
