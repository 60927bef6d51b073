/// A set of Unicode scalars that answers at once: a bit for every scalar, in blocks of 256 of which
/// those that are empty or full are stored once.
struct ScalarSet: Sendable {
  /// The ASCII characters once more, because most text is nothing else.
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var blocks: [UInt16]
  /// Four words to a block; the first two blocks are the empty and the full one.
  private var words: [UInt64]

  private static let empty: UInt16 = 0
  private static let full: UInt16 = 1
  private static let wordsPerBlock = 4

  init(_ set: ScalarRanges) {
    blocks = [UInt16](repeating: Self.empty, count: Int(ScalarRanges.last >> 8) + 1)
    words =
      [UInt64](repeating: 0, count: Self.wordsPerBlock)
      + [UInt64](repeating: .max, count: Self.wordsPerBlock)
    for range in set.ranges {
      var first = range.lowerBound
      while first <= range.upperBound {
        let last = min(range.upperBound, first | 0xFF)
        insert(first...last)
        first = last + 1
      }
    }
    low = words[Int(blocks[0]) * Self.wordsPerBlock]
    high = words[Int(blocks[0]) * Self.wordsPerBlock + 1]
  }

  /// Adds scalars of one block.
  private mutating func insert(_ range: ClosedRange<UInt32>) {
    let block = Int(range.lowerBound >> 8)
    if range.count == 256 {
      blocks[block] = Self.full
      return
    }
    if blocks[block] == Self.empty {
      blocks[block] = UInt16(words.count / Self.wordsPerBlock)
      words.append(contentsOf: [0, 0, 0, 0])
    }
    let start = Int(blocks[block]) * Self.wordsPerBlock
    for scalar in range {
      words[start + Int(scalar & 0xFF) >> 6] |= 1 << UInt64(scalar & 63)
    }
  }

  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    if scalar < 64 { return low >> UInt64(scalar) & 1 != 0 }
    if scalar < 128 { return high >> UInt64(scalar & 63) & 1 != 0 }
    let block = Int(blocks[Int(scalar >> 8)]) * Self.wordsPerBlock
    return words[block + Int(scalar & 0xFF) >> 6] >> UInt64(scalar & 63) & 1 != 0
  }
}

extension ScalarSet {
  static let whiteSpace = ScalarSet(UnicodeTables.whiteSpace)
  static let numeric = ScalarSet(UnicodeTables.numeric)
  static let rustWord = ScalarSet(UnicodeTables.rustWord)
  static let bertMark = ScalarSet(UnicodeTables.ranges(UnicodeTables.bertMark))
  static let bertPunctuation = ScalarSet(UnicodeTables.ranges(UnicodeTables.bertPunctuation))
  static let bertRemoved = ScalarSet(UnicodeTables.ranges(UnicodeTables.bertRemoved))
  static let combiningMark = ScalarSet(UnicodeTables.ranges(UnicodeTables.combiningMark))
  static let compositionSensitive = ScalarSet(
    UnicodeTables.ranges(UnicodeTables.compositionSensitive))
  static let normalizationKnown = ScalarSet(
    UnicodeTables.ranges(UnicodeTables.normalizationKnown))
}
