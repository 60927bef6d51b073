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

  /// The tokens of consecutive windows, of which there is at least one.
  func tokens(of windows: Range<Int>) -> Range<Int> {
    self.windows[windows.lowerBound].lowerBound..<self.windows[windows.upperBound - 1].upperBound
  }

  /// Consecutive windows of together about `limit` tokens, at least one: where in `windows` they stand.
  func blocks(ofTokens limit: Int) -> [Range<Int>] {
    Self.blocks(of: windows.map(\.count), ofTokens: limit)
  }

  /// The same of windows that have so many tokens each.
  static func blocks(of counts: [Int], ofTokens limit: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var (start, tokens) = (0, 0)
    for (index, count) in counts.enumerated() {
      if index > start, tokens + count > limit {
        blocks.append(start..<index)
        (start, tokens) = (index, 0)
      }
      tokens += count
    }
    if start < counts.count { blocks.append(start..<counts.count) }
    return blocks
  }
}
