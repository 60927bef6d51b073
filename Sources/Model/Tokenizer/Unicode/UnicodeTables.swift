/// Unpacking of the generated tables, and the classes that are put together from them.
extension UnicodeTables {
  struct CategoryRun: Sendable {
    let scalars: ClosedRange<UInt32>
    let category: GeneralCategory
  }

  /// The general categories of all scalars in order, Unicode 16.
  static let categoryRuns: [CategoryRun] = {
    var reader = NumberReader(generalCategory)
    var runs: [CategoryRun] = []
    var start: UInt32 = 0
    while let count = reader.next(), let category = reader.next() {
      guard let category = GeneralCategory(rawValue: UInt8(category)) else {
        preconditionFailure("a table names category \(category)")
      }
      runs.append(CategoryRun(scalars: start...start + count - 1, category: category))
      start += count
    }
    return runs
  }()

  /// The ranges of a generated class.
  static func ranges(_ table: String) -> ScalarRanges {
    var reader = NumberReader(table)
    var ranges: [ClosedRange<UInt32>] = []
    var end: UInt32 = 0
    while let gap = reader.next(), let count = reader.next() {
      ranges.append(end + gap...end + gap + count - 1)
      end += gap + count
    }
    return ScalarRanges(ranges)
  }

  /// What two characters are composed to, by both: the first in the upper half of the key.
  static let compositions: PairTable = {
    var reader = NumberReader(composition)
    var table = PairTable(capacity: 1000)
    var character: UInt32 = 0
    while let gap = reader.next(), let first = reader.next(), let second = reader.next() {
      character += gap
      table.set(UInt64(first) << 32 | UInt64(second), UInt64(character))
    }
    return table
  }()

  static func ranges(_ categories: CategorySet) -> ScalarRanges {
    // Blank controls stand in the table as controls.
    var ranges = categoryRuns.filter { run in
      categories.contains(category: run.category.rawValue)
    }.map(\.scalars)
    if categories.contains(category: GeneralCategory.blankControl.rawValue) {
      ranges += [0x09...0x0D, 0x85...0x85]
    }
    return ScalarRanges(ranges)
  }

  static let whiteSpace = ranges(.whiteSpace)

  /// The property Alphabetic where neither the category says so nor a mark is.
  private static let alphabeticSymbols = ScalarRanges([
    0x24B6...0x24E9, 0x1F130...0x1F149, 0x1F150...0x1F169, 0x1F170...0x1F189,
  ])

  private static let plainWord = ranges([
    .letter, .mark, CategorySet(.decimalNumber, .letterNumber, .connectorPunctuation),
  ]).union(alphabeticSymbols)

  /// `\w` of Oniguruma, which also takes Latin-1's superscript digits and fractions.
  static let word = plainWord.union(
    ScalarRanges([0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE]))

  /// `\w` of Rust's regular expressions: with the join controls, as Unicode Technical Standard 18 has it.
  static let rustWord = plainWord.union(ScalarRanges([0x200C...0x200D]))

  /// Numbers of Unicode 17, which the step `Digits` goes by.
  static let numeric = ranges(.number).union(
    ScalarRanges([0x11DE0...0x11DE9, 0x16FF4...0x16FF6]))
}

/// Reads the numbers that a generated table is made of.
private struct NumberReader {
  private var digits: String.UTF8View.Iterator

  init(_ table: String) { digits = table.utf8.makeIterator() }

  mutating func next() -> UInt32? {
    var number: UInt32 = 0
    var shift: UInt32 = 0
    while let byte = digits.next() {
      let digit = Self.value(byte)
      number |= (digit & 31) << shift
      if digit < 32 { return number }
      shift += 5
    }
    return nil
  }

  private static func value(_ byte: UInt8) -> UInt32 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A") + 10)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 36)
    case UInt8(ascii: "+"): 62
    default: 63
    }
  }
}
