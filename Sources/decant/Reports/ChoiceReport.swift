import Formats
import Forward

/// How many questions a model answers rightly: as JSON, and as text for people.
struct ChoiceReport {
  let path: String
  let summary: ChoiceSummary
  /// Of each option of each question, in nats.
  let logLikelihoods: [[Double]]

  var json: JSONValue {
    [
      "path": .string(path), "questions": .integer(summary.questionCount),
      "accuracy": .double(summary.accuracy.mean),
      "accuracy_error": .double(summary.accuracy.standardError),
      "accuracy_norm": .double(summary.normalizedAccuracy.mean),
      "accuracy_norm_error": .double(summary.normalizedAccuracy.standardError),
      "log_likelihoods": .array(logLikelihoods.map { .array($0.map { .double($0) }) }),
    ]
  }

  func text(_ terminal: Terminal) -> String {
    var table = MeanTable(terminal)
    table.append("accuracy", summary.accuracy, digits: 4)
    table.append("accuracy, length-normalised", summary.normalizedAccuracy, digits: 4)
    return "\(printable(path)): \(summary.questionCount) questions\n" + table.text
  }
}
