/// A window of tokens, the last of which should predict others.
package struct ScoredWindow: Sendable, Equatable {
  /// What the model is run over.
  package let tokens: [Int]
  /// What the last tokens of the window should be followed by, one after the other.
  package let targets: [Int]

  /// - Parameter targets: at least one, and no more than there are tokens.
  package init(tokens: [Int], targets: [Int]) {
    precondition(!targets.isEmpty && targets.count <= tokens.count)
    self.tokens = tokens
    self.targets = targets
  }
}
