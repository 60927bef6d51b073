extension PatternScanner {
  func gpt2(_ text: Span<UInt8>, _ start: Int) -> Int? {
    if let end = contractionEnd(text, start, ignoringCase: false) { return end }
    let word = text[start] == 0x20 ? start + 1 : start
    guard word < text.count else { return text.count }
    let category = categories.category(text.scalar(at: word).value)
    for set in [CategorySet.letter, .number] where set.contains(category: category) {
      return runEnd(text, word, set)
    }
    if CategorySet.whiteSpace.contains(category: category) {
      return blanksEnd(text, start, lineBreaks: false)
    }
    return runEnd(text, word, Self.symbols(.letter))
  }

  /// What is neither white space, nor of `letters`, nor a number.
  private static func symbols(_ letters: CategorySet) -> CategorySet {
    CategorySet.whiteSpace.union(letters).union(.number).inverted
  }

  func llama3(
    _ text: Span<UInt8>, _ start: Int, digits: Int, letters: CategorySet
  ) -> Int? {
    if let end = contractionEnd(text, start, ignoringCase: true) { return end }
    let scalar = text.scalar(at: start)
    let category = categories.category(scalar.value)
    if letters.contains(category: category) { return runEnd(text, start, letters) }
    if CategorySet.number.contains(category: category) {
      return runEnd(text, start, .number, longest: digits)
    }
    let second = start + scalar.byteCount
    if !Self.isLineBreak(text[start]), isAt(text, second, letters) {
      return runEnd(text, second, letters)
    }
    return symbolsEnd(text, start, Self.symbols(letters))
      ?? blanksEnd(text, start, lineBreaks: true)
  }

  /// ` ?[…]+[\r\n]*`, with a slash where one may stand among the line breaks.
  private func symbolsEnd(
    _ text: Span<UInt8>, _ start: Int, _ symbols: CategorySet, orSlash: Bool = false
  ) -> Int? {
    let first = text[start] == 0x20 ? start + 1 : start
    guard isAt(text, first, symbols) else { return nil }
    return lineBreaksEnd(text, runEnd(text, first, symbols), orSlash: orSlash)
  }

  func o200k(
    _ text: Span<UInt8>, _ start: Int, digits: Int, hasContractions: Bool
  ) -> Int? {
    let scalar = text.scalar(at: start)
    let category = categories.category(scalar.value)
    let isWordScalar = CategorySet.letter.union(.number).contains(category: category)
    // A word may begin behind one other character; a mark may be that, or the word's first.
    let second: Int? =
      isWordScalar || Self.isLineBreak(text[start]) ? nil : start + scalar.byteCount
    let word =
      second.flatMap { mixedWordEnd(text, $0) } ?? mixedWordEnd(text, start)
      ?? second.flatMap { upperWordEnd(text, $0) } ?? upperWordEnd(text, start)
    if let word {
      guard hasContractions else { return word }
      return contractionEnd(text, word, ignoringCase: true) ?? word
    }
    if CategorySet.number.contains(category: category) {
      return runEnd(text, start, .number, longest: digits)
    }
    return symbolsEnd(text, start, Self.symbols(.letter), orSlash: true)
      ?? blanksEnd(text, start, lineBreaks: true)
  }

  private static let caseless: CategorySet = [
    .mark, CategorySet(.modifierLetter, .otherLetter),
  ]
  private static let upper: CategorySet = [
    caseless, CategorySet(.uppercaseLetter, .titlecaseLetter),
  ]
  private static let lower: CategorySet = [caseless, CategorySet(.lowercaseLetter)]

  /// Upper case, or none, and then at least one that is not upper case.
  private func mixedWordEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
    var middle = runEnd(text, start, Self.upper)
    let end = runEnd(text, middle, Self.lower)
    if end > middle { return end }
    // The last that has no case can be the one that is not upper case.
    while middle > start {
      let last = text.scalarStart(before: middle)
      if isAt(text, last, Self.caseless) { return middle }
      middle = last
    }
    return nil
  }

  /// Upper case without lower case behind it, which would have been a mixed word.
  private func upperWordEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
    let end = runEnd(text, start, Self.upper)
    return end > start ? end : nil
  }

  func deepSeekV3(_ text: Span<UInt8>, _ start: Int) -> Int? {
    let scalar = text.scalar(at: start)
    let category = categories.category(scalar.value)
    let second = start + scalar.byteCount
    let isSymbol = CategorySet.punctuation.union(.symbol).contains(category: category)
    if isSymbol, scalar.value < 0x80 {
      var end = second
      while end < text.count, (0x61...0x7A).contains(text[end] | 0x20) { end += 1 }
      if end > second { return end }
    }
    let word: CategorySet = [.letter, .mark]
    let isLetter = CategorySet.letter.contains(category: category)
    if isLetter || isSymbol || Self.isLineBreak(text[start]) {
      if isLetter { return runEnd(text, start, word) }
    } else if isAt(text, second, word) {
      return runEnd(text, second, word)
    } else if CategorySet.mark.contains(category: category) {
      return second
    }
    return symbolsEnd(text, start, [.punctuation, .symbol])
      ?? blanksEnd(text, start, lineBreaks: true)
  }
}
