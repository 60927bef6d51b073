/// How many questions a model answers rightly: `acc` and `acc_norm` of lm-evaluation-harness.
///
/// Source: EleutherAI/lm-evaluation-harness, `lm_eval/api/task.py` (`ConfigurableTask.process_results`) and
/// `lm_eval/api/metrics.py` (`mean_stderr`).
package struct ChoiceSummary: Sendable, Equatable {
  package let questionCount: Int
  /// Share of the questions whose most likely option is the right one.
  package let accuracy: MeanWithError
  /// Likewise, where likelihoods are divided by the lengths of the options.
  package let normalizedAccuracy: MeanWithError

  package init(_ questions: [ScoredQuestion]) {
    questionCount = questions.count
    accuracy = Self.share(questions.count { $0.isRight }, of: questions.count)
    normalizedAccuracy = Self.share(questions.count { $0.isRightByLength }, of: questions.count)
  }

  /// The error is `sqrt(p (1 - p) / (n - 1))`; NaN for one question.
  private static func share(_ right: Int, of count: Int) -> MeanWithError {
    let share = Double(right) / Double(count)
    return MeanWithError(
      mean: share, standardError: (share * (1 - share) / Double(count - 1)).squareRoot())
  }
}
