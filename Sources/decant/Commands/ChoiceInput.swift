import Formats
import Forward

/// The questions of a multiple-choice test, as `--choices` names them.
struct ChoiceInput {
  private struct Entry {
    let question: ChoiceQuestion
    let windows: Range<Int>
  }

  static let option = OptionDescription(
    long: "choices", value: .init("FILE", .path),
    help: """
      In place of a text, questions: a line {"context": ..., "options": [..., ...], "answer": INDEX} \
      for each, with the index of the right option from 0.
      """)

  /// Of all options of all questions.
  private(set) var windows: [ScoredWindow] = []
  private var entries: [Entry] = []

  /// - Throws: `UsageError` for options that are about a text; `JSONLineError`, `TokenizerError`,
  ///   `ForwardError`, `FileError`.
  init(_ path: String, _ arguments: Arguments, for model: ForwardModel) throws {
    for other in [
      "text", "tokens", "against", "context", "tokens-limit", "w-bits", "a-bits", "kv-bits",
      "group-size", "sweep", "html",
    ] where arguments.isGiven(other) {
      throw UsageError(
        "'--\(other)' is about a text, and '--choices' has questions",
        hint: "leave out one of the two")
    }
    var encoder = try ChoiceEncoder(for: model)
    try JSONLines.forEach(of: path) { line in
      do {
        let question = try ChoiceQuestion(json: line.json)
        let own = try encoder.windows(of: question)
        entries.append(
          Entry(question: question, windows: windows.count..<windows.count + own.count))
        windows += own
      } catch let fault as any DescribedError {
        throw line.error(fault.message)
      }
    }
    guard !entries.isEmpty else {
      throw JSONLineError(path: path, line: 1, reason: "the file has no questions")
    }
  }

  /// Those of each question's options.
  ///
  /// - Parameter logLikelihoods: of `windows`.
  func byQuestion(_ logLikelihoods: [Double]) -> [[Double]] {
    entries.map { Array(logLikelihoods[$0.windows]) }
  }

  /// - Parameter logLikelihoods: of `windows`.
  func summary(_ logLikelihoods: [Double]) -> ChoiceSummary {
    ChoiceSummary(
      zip(entries, byQuestion(logLikelihoods)).map { entry, own in
        ScoredQuestion(
          logLikelihoods: own, lengths: entry.question.options.map(\.unicodeScalars.count),
          answer: entry.question.answer)
      })
  }
}
