/// What becomes of matches, and of what is between them.
enum SplitBehavior: String, Sendable {
  case isolated = "Isolated"
  case removed = "Removed"
  case contiguous = "Contiguous"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
}

/// Joins the parts of a text, in their order, to pieces.
struct PieceJoiner {
  private let behavior: SplitBehavior
  /// What the next part may be joined with.
  private var pending: (range: Range<Int>, isMatch: Bool)?

  init(_ behavior: SplitBehavior) { self.behavior = behavior }

  /// The piece that is complete once this part is known.
  mutating func add(_ range: Range<Int>, isMatch: Bool) -> Range<Int>? {
    switch behavior {
    case .isolated: return range
    case .removed: return isMatch ? nil : range
    case .contiguous:
      return join(range, isMatch) { $0 == isMatch }
    case .mergedWithPrevious:
      return join(range, isMatch) { isMatch && !$0 }
    case .mergedWithNext:
      if isMatch {
        defer { pending = (range, true) }
        return pending?.range
      }
      defer { pending = nil }
      return (pending?.range.lowerBound ?? range.lowerBound)..<range.upperBound
    }
  }

  /// Joins a part with the one before if that one, a match or not, takes it. What was joined counts as the
  /// part that came last.
  private mutating func join(
    _ range: Range<Int>, _ isMatch: Bool, _ takes: (Bool) -> Bool
  ) -> Range<Int>? {
    guard let last = pending else {
      pending = (range, isMatch)
      return nil
    }
    if takes(last.isMatch) {
      pending = (last.range.lowerBound..<range.upperBound, isMatch)
      return nil
    }
    pending = (range, isMatch)
    return last.range
  }

  /// The last piece.
  mutating func finish() -> Range<Int>? {
    defer { pending = nil }
    return pending?.range
  }
}
