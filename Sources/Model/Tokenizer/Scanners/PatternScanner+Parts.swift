/// What the patterns have in common.
extension PatternScanner {
  /// Whether a scalar of `set` begins at `start`.
  @inline(__always)
  func isAt(_ text: Span<UInt8>, _ start: Int, _ set: CategorySet) -> Bool {
    start < text.count
      && set.contains(category: categories.category(text.scalar(at: start).value))
  }

  /// Where a run of scalars of `set` ends that begins at `start`.
  @inline(__always)
  func runEnd(
    _ text: Span<UInt8>, _ start: Int, _ set: CategorySet, longest: Int = .max
  ) -> Int {
    var end = start
    var count = 0
    while end < text.count, count < longest {
      let scalar = text.scalar(at: end)
      guard set.contains(category: categories.category(scalar.value)) else { break }
      end += scalar.byteCount
      count += 1
    }
    return end
  }

  @inline(__always)
  static func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  func lineBreaksEnd(_ text: Span<UInt8>, _ start: Int, orSlash: Bool = false) -> Int {
    var end = start
    while end < text.count,
      Self.isLineBreak(text[end]) || orSlash && text[end] == UInt8(ascii: "/")
    {
      end += 1
    }
    return end
  }

  /// `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`. Ignoring case, the long s is an s.
  func contractionEnd(
    _ text: Span<UInt8>, _ start: Int, ignoringCase: Bool
  ) -> Int? {
    guard start + 1 < text.count, text[start] == UInt8(ascii: "'") else { return nil }
    // Sets the bit that is all the difference between the cases of a letter.
    let other: UInt8 = ignoringCase ? 0x20 : 0
    let second: UInt8? = start + 2 < text.count ? text[start + 2] | other : nil
    switch text[start + 1] | other {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return second == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? start + 3 : nil
    default:
      return ignoringCase && text.starts(with: [0xC5, 0xBF], at: start + 1) ? start + 3 : nil
    }
  }

  /// `\s+(?!\S)|\s+`, and with line breaks `\s*[\r\n]+` before it.
  func blanksEnd(_ text: Span<UInt8>, _ start: Int, lineBreaks: Bool) -> Int? {
    let end = runEnd(text, start, .whiteSpace)
    guard end > start else { return nil }
    if lineBreaks {
      var last = end
      while last > start {
        if Self.isLineBreak(text[last - 1]) { return last }
        last -= 1
      }
    }
    // The last blank is left to the word that it stands before.
    let last = text.scalarStart(before: end)
    return end == text.count || last == start ? end : last
  }
}
