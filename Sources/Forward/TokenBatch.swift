/// Windows of tokens that go through the model together. Tokens of different windows do not see each other.
package struct TokenBatch: Sendable {
  /// Of all windows, one after the other.
  package let tokens: [Int]
  /// The tokens of each window, which are not empty.
  package let windows: [Range<Int>]

  /// - Parameter windows: identifiers of tokens; empty windows are left out.
  package init(_ windows: [some Collection<Int>]) {
    var tokens: [Int] = []
    var ranges: [Range<Int>] = []
    for window in windows where !window.isEmpty {
      ranges.append(tokens.count..<tokens.count + window.count)
      tokens += window
    }
    self.tokens = tokens
    self.windows = ranges
  }

  package var count: Int { tokens.count }

  /// Consecutive windows of together about `limit` tokens, at least one: where in `windows` they stand.
  func blocks(ofTokens limit: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = 0
    while start < windows.count {
      var end = start + 1
      while end < windows.count,
        windows[end].upperBound - windows[start].lowerBound <= limit
      {
        end += 1
      }
      blocks.append(start..<end)
      start = end
    }
    return blocks
  }
}
