/// What a text is cut at.
indirect enum SplitPattern: Sendable {
  /// Nothing matches where it is empty.
  case literal([UInt8])
  /// Any one scalar of a set.
  case scalar(ScalarSet)
  case regex(RegexProgram)
  case scanner(PatternScanner)

  /// The first match at `offset` or behind it.
  ///
  /// - Parameter taken: where an empty match does not count: the end of the match before.
  func firstMatch(
    in text: Span<UInt8>, from offset: Int, taken: Int, _ machine: inout RegexMachine
  ) throws(TokenizerError) -> Range<Int>? {
    switch self {
    case .literal(let needle):
      guard !needle.isEmpty, let start = text.firstOffset(of: needle, from: offset) else {
        return nil
      }
      return start..<start + needle.count
    case .scalar(let set):
      var start = offset
      while start < text.count {
        let scalar = text.scalar(at: start)
        if set.contains(scalar.value) { return start..<start + scalar.byteCount }
        start += scalar.byteCount
      }
      return nil
    case .regex(let program):
      return try machine.firstMatch(of: program, in: text, from: offset, taken: taken)
    case .scanner(let scanner):
      var start = offset
      while start < text.count {
        if let end = scanner.matchEnd(in: text, at: start) { return start..<end }
        start = text.scalarEnd(at: start)
      }
      return nil
    }
  }

  /// Calls `body` with all of `text` in order: each match, and what is between them where that is not
  /// empty. Matches can be empty.
  func forEachPart(
    of text: Span<UInt8>, _ state: inout EncodingState,
    _ body: (Range<Int>, _ isMatch: Bool, inout EncodingState) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    var (offset, taken) = (0, -1)
    while let match = try firstMatch(in: text, from: offset, taken: taken, &state.machine) {
      if match.lowerBound > offset {
        try body(offset..<match.lowerBound, false, &state)
      }
      try body(match, true, &state)
      offset = match.upperBound
      taken = offset
    }
    if offset < text.count { try body(offset..<text.count, false, &state) }
  }
}
