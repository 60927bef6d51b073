/// The Unicode general category of a scalar, with one more: control characters that are white space.
/// Raw values are the order of `UnicodeTables.generalCategory`.
enum GeneralCategory: UInt8, CaseIterable, Sendable {
  case uppercaseLetter, lowercaseLetter, titlecaseLetter, modifierLetter, otherLetter
  case nonspacingMark, spacingMark, enclosingMark
  case decimalNumber, letterNumber, otherNumber
  case connectorPunctuation, dashPunctuation, openPunctuation, closePunctuation
  case initialPunctuation, finalPunctuation, otherPunctuation
  case mathSymbol, currencySymbol, modifierSymbol, otherSymbol
  case spaceSeparator, lineSeparator, paragraphSeparator
  case control, format, privateUse, unassigned
  case blankControl
}

/// Several general categories.
struct CategorySet: OptionSet, Sendable {
  let rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ categories: GeneralCategory...) {
    rawValue = categories.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
  }

  static let letter = CategorySet(
    .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter)
  static let mark = CategorySet(.nonspacingMark, .spacingMark, .enclosingMark)
  static let number = CategorySet(.decimalNumber, .letterNumber, .otherNumber)
  static let punctuation = CategorySet(
    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
    .initialPunctuation, .finalPunctuation, .otherPunctuation)
  static let symbol = CategorySet(.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol)
  static let separator = CategorySet(.spaceSeparator, .lineSeparator, .paragraphSeparator)
  static let control = CategorySet(.control, .blankControl)
  /// The property White_Space.
  static let whiteSpace: CategorySet = [.separator, CategorySet(.blankControl)]
  static let everything = CategorySet(rawValue: 1 << UInt32(GeneralCategory.allCases.count) - 1)

  var inverted: CategorySet { Self.everything.subtracting(self) }

  @inline(__always)
  func contains(category: UInt8) -> Bool { rawValue >> UInt32(category) & 1 != 0 }
}
