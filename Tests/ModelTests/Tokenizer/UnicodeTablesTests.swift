import Formats
import Testing

@testable import Model

/// The generated tables beside the measured classes that they were generated from.
@Suite struct UnicodeTablesTests {
  private static let made: [String: ScalarRanges] = [
    "L": UnicodeTables.ranges(.letter), "M": UnicodeTables.ranges(.mark),
    "N": UnicodeTables.ranges(.number), "P": UnicodeTables.ranges(.punctuation),
    "S": UnicodeTables.ranges(.symbol), "Z": UnicodeTables.ranges(.separator),
    "space": UnicodeTables.whiteSpace, "word": UnicodeTables.word,
    "regex_word": UnicodeTables.rustWord, "numeric": UnicodeTables.numeric,
    "Nd": UnicodeTables.ranges(CategorySet(.decimalNumber)),
    "Mn": UnicodeTables.ranges(CategorySet(.nonspacingMark)),
    "Cf": UnicodeTables.ranges(CategorySet(.format)),
    "Cc": UnicodeTables.ranges(.control),
    "Han": UnicodeTables.ranges(UnicodeTables.han),
    "Latin": UnicodeTables.ranges(UnicodeTables.latin),
    "Thai": UnicodeTables.ranges(UnicodeTables.thai),
    "bert_mark": UnicodeTables.ranges(UnicodeTables.bertMark),
    "bert_punctuation": UnicodeTables.ranges(UnicodeTables.bertPunctuation),
    "bert_removed": UnicodeTables.ranges(UnicodeTables.bertRemoved),
    "combining_mark": UnicodeTables.ranges(UnicodeTables.combiningMark),
    "norm_known": UnicodeTables.ranges(UnicodeTables.normalizationKnown),
  ]

  @Test func classesAreAsMeasured() throws {
    let classes = try #require(try TokenizerSet.unicodeClasses())
    for (name, ranges) in Self.made {
      let pairs = try #require(classes[name]?.arrayValue)
      let measured = try pairs.map { pair in
        let ends = try #require(pair.arrayValue).compactMap(\.intValue).map { UInt32($0) }
        return ends[0]...ends[1]
      }
      #expect(ranges == ScalarRanges(measured), "\(name)")
    }
  }

  @Test func aSetAnswersAtTheEndsOfItsRanges() {
    for ranges in [Self.made["L"], Self.made["space"], Self.made["norm_known"]] {
      let set = ScalarSet(ranges ?? ScalarRanges())
      for range in ranges?.ranges ?? [] {
        #expect(set.contains(range.lowerBound) && set.contains(range.upperBound))
        if range.lowerBound > 0 { #expect(!set.contains(range.lowerBound - 1)) }
        if range.upperBound < ScalarRanges.last { #expect(!set.contains(range.upperBound + 1)) }
      }
    }
  }

  @Test func theTableHasTheCategoriesOfTheRuns() {
    let blanks: Set<UInt32> = [9, 10, 11, 12, 13, 0x85]
    for run in UnicodeTables.categoryRuns {
      for scalar in [run.scalars.lowerBound, run.scalars.upperBound] {
        let expected = blanks.contains(scalar) ? .blankControl : run.category
        #expect(CategoryTable.shared.category(scalar) == expected.rawValue, "\(scalar)")
      }
    }
  }

  @Test func setsArePutTogether() {
    let digits = ScalarRanges([0x30...0x39])
    #expect(ScalarRanges([0x35...0x39, 0x30...0x34]) == digits)
    #expect(digits.inverted.inverted == digits)
    #expect(ScalarRanges().inverted.inverted == ScalarRanges())
    #expect(digits.union(digits.inverted) == ScalarRanges().inverted)
    #expect(
      digits.intersection(ScalarRanges([0x38...0x41])) == ScalarRanges([0x38...0x39]))
  }
}
