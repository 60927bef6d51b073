/// Sets of scalars: classes in brackets, escapes and properties.
extension RegexParser {
  /// What follows a backslash, outside of brackets or in them.
  mutating func escape() throws(RegexError) -> ScalarRanges {
    guard let letter = next, let scalar = Unicode.Scalar(letter) else { throw error("ends early") }
    switch scalar {
    case "p", "P":
      offset += 1
      guard take("{") else { throw error("'\\\(scalar)' without a name in braces") }
      return try folded(try property(isNegated: scalar == "P"))
    case "s", "S", "d", "D", "w", "W", "h", "H":
      offset += 1
      let name = scalar.properties.lowercaseMapping
      let ranges =
        switch name {
        case "s": UnicodeTables.whiteSpace
        case "d": UnicodeTables.ranges(CategorySet(.decimalNumber))
        case "w": UnicodeTables.word
        default: ScalarRanges([0x30...0x39, 0x41...0x46, 0x61...0x66])
        }
      return name == String(scalar) ? ranges : ranges.inverted
    default:
      return try literal(try escapedScalar())
    }
  }

  /// A single scalar behind a backslash.
  private mutating func escapedScalar() throws(RegexError) -> UInt32 {
    let letter = try takeScalar()
    guard letter < 0x80 else { return letter }
    switch Character(Unicode.Scalar(UInt8(letter))) {
    case "n": return 0x0A
    case "r": return 0x0D
    case "t": return 0x09
    case "f": return 0x0C
    case "v": return 0x0B
    case "a": return 0x07
    case "e": return 0x1B
    case "u": return try hexadecimal(digits: 4)
    case "x":
      if take("{") {
        guard let value = UInt32(try takeName(), radix: 16), Unicode.Scalar(value) != nil
        else { throw error("no character has this number") }
        return value
      }
      let value = try hexadecimal(digits: 2)
      // Above ASCII, two digits are a byte of a character and not its number.
      guard value < 0x80 else { throw error("'\\x' with a byte that is no character") }
      return value
    case let other:
      guard !other.isLetter, !other.isNumber else {
        throw error("'\\\(other)' is not supported")
      }
      return letter
    }
  }

  private mutating func hexadecimal(digits: Int) throws(RegexError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      let scalar = try takeScalar()
      guard scalar < 0x80, let digit = Character(Unicode.Scalar(UInt8(scalar))).hexDigitValue
      else { throw error("a hexadecimal digit is missing") }
      value = value << 4 | UInt32(digit)
    }
    guard Unicode.Scalar(value) != nil else { throw error("no character has this number") }
    return value
  }

  /// `NAME}` or `^NAME}`.
  private mutating func property(isNegated: Bool) throws(RegexError) -> ScalarRanges {
    let isInverted = take("^") != isNegated
    let start = offset
    let name = try takeName()
    guard let ranges = Self.property(name) else {
      throw RegexError(reason: "the property '\(name)' is not supported", offset: start)
    }
    return isInverted ? ranges.inverted : ranges
  }

  private static func property(_ name: String) -> ScalarRanges? {
    if let categories = categories[name] { return UnicodeTables.ranges(categories) }
    return scripts[name].map(UnicodeTables.ranges)
  }

  private static let categories: [String: CategorySet] = [
    "L": .letter, "Lu": .init(.uppercaseLetter), "Ll": .init(.lowercaseLetter),
    "Lt": .init(.titlecaseLetter), "Lm": .init(.modifierLetter), "Lo": .init(.otherLetter),
    "M": .mark, "Mn": .init(.nonspacingMark), "Mc": .init(.spacingMark),
    "Me": .init(.enclosingMark),
    "N": .number, "Nd": .init(.decimalNumber), "Nl": .init(.letterNumber),
    "No": .init(.otherNumber),
    "P": .punctuation, "Pc": .init(.connectorPunctuation), "Pd": .init(.dashPunctuation),
    "Ps": .init(.openPunctuation), "Pe": .init(.closePunctuation),
    "Pi": .init(.initialPunctuation), "Pf": .init(.finalPunctuation),
    "Po": .init(.otherPunctuation),
    "S": .symbol, "Sm": .init(.mathSymbol), "Sc": .init(.currencySymbol),
    "Sk": .init(.modifierSymbol), "So": .init(.otherSymbol),
    "Z": .separator, "Zs": .init(.spaceSeparator), "Zl": .init(.lineSeparator),
    "Zp": .init(.paragraphSeparator),
    "C": [.control, .init(.format, .privateUse, .unassigned)], "Cc": .control,
    "Cf": .init(.format), "Co": .init(.privateUse),
  ]

  private static let scripts = [
    "Arabic": UnicodeTables.arabic, "Cyrillic": UnicodeTables.cyrillic,
    "Devanagari": UnicodeTables.devanagari, "Greek": UnicodeTables.greek,
    "Han": UnicodeTables.han, "Hangul": UnicodeTables.hangul, "Hebrew": UnicodeTables.hebrew,
    "Hiragana": UnicodeTables.hiragana, "Katakana": UnicodeTables.katakana,
    "Latin": UnicodeTables.latin, "Thai": UnicodeTables.thai,
  ]

  // MARK: - Brackets

  /// What follows an opening bracket, up to the one that closes it. `&&` intersects what stands to its
  /// left with what stands to its right.
  mutating func bracket(depth: Int) throws(RegexError) -> ScalarRanges {
    guard depth <= Self.deepest else { throw error("nested too deeply") }
    let isNegated = take("^")
    guard !isNext("]") else { throw error("a class that begins with ']' is not supported") }
    var result: ScalarRanges?
    var part: [ClosedRange<UInt32>] = []
    while !take("]") {
      if take("&&") {
        result = (result ?? ScalarRanges().inverted).intersection(ScalarRanges(part))
        part = []
      } else if isNext("[:") {
        throw error("POSIX brackets are not supported")
      } else if take("[") {
        part += try bracket(depth: depth + 1).ranges
      } else {
        part += try item().ranges
      }
    }
    let last = ScalarRanges(part)
    let all = result.map { $0.intersection(last) } ?? last
    return isNegated ? all.inverted : all
  }

  /// A scalar, a range of them, or an escape that stands for several.
  private mutating func item() throws(RegexError) -> ScalarRanges {
    guard !isNext("\\p"), !isNext("\\P"), !isNext("\\s"), !isNext("\\S"), !isNext("\\d"),
      !isNext("\\D"), !isNext("\\w"), !isNext("\\W"), !isNext("\\h"), !isNext("\\H")
    else {
      offset += 1
      return try escape()
    }
    let first = try rangeEnd()
    guard isNext("-"), !isNext("-]") else { return try literal(first) }
    offset += 1
    guard !isNext("[") else { throw error("a range without an end") }
    let last = try rangeEnd()
    guard first <= last else { throw error("a range runs backwards") }
    return try folded(ScalarRanges([first...last]))
  }

  private mutating func rangeEnd() throws(RegexError) -> UInt32 {
    take("\\") ? try escapedScalar() : try takeScalar()
  }
}
