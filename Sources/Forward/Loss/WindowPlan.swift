/// How a text is cut into windows, and which of their tokens are scored.
package struct WindowPlan: Sendable, Equatable {
  /// Tokens of a window; what is left at the end of the text is not used.
  package let length: Int
  /// Place in its window of the first token that is scored.
  package let firstScored: Int

  /// All tokens of a window but the first, as GPTQ and most papers score them.
  package init(length: Int) {
    self.init(length: length, firstScored: 1)
  }

  /// - Parameter firstScored: `length / 2 + 1` scores as llama.cpp's `perplexity` does.
  package init(length: Int, firstScored: Int) {
    precondition(firstScored >= 1 && firstScored < length)
    self.length = length
    self.firstScored = firstScored
  }

  /// 512, or the model's context where that is shorter.
  package static func usual(for model: ForwardModel) -> WindowPlan {
    WindowPlan(length: max(2, min(512, model.description.contextLength ?? 512)))
  }

  /// - Throws: `ForwardError.tooFewTokens` for less than one window.
  package func windows(of tokens: [Int]) throws(ForwardError) -> [ArraySlice<Int>] {
    guard tokens.count >= length else {
      throw .tooFewTokens(tokens.count, needed: length)
    }
    return (0..<tokens.count / length).map { tokens[$0 * length..<($0 + 1) * length] }
  }
}
