/// What a model gives the options of a question.
package struct ScoredQuestion: Sendable, Equatable {
  /// Of each option given the context, in nats.
  package let logLikelihoods: [Double]
  /// Of each option, in characters (Unicode scalars).
  package let lengths: [Int]
  /// The right option, from 0.
  package let answer: Int

  package init(logLikelihoods: [Double], lengths: [Int], answer: Int) {
    precondition(logLikelihoods.count == lengths.count && lengths.indices.contains(answer))
    self.logLikelihoods = logLikelihoods
    self.lengths = lengths
    self.answer = answer
  }

  /// Whether the most likely option is the right one; of equally likely ones the first counts.
  package var isRight: Bool { Self.top(logLikelihoods) == answer }

  /// Likewise, of likelihoods for each character.
  package var isRightByLength: Bool {
    Self.top(zip(logLikelihoods, lengths).map { $0 / Double($1) }) == answer
  }

  private static func top(_ scores: [Double]) -> Int {
    scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
  }
}
