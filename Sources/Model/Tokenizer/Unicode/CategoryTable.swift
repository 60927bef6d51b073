/// The general category of every scalar, for looking up: blocks of 256, of which equal ones of a
/// single category are stored once.
final class CategoryTable: Sendable {
  private let blocks: [UInt16]
  /// Raw values of `GeneralCategory`.
  private let categories: [UInt8]

  static let shared = CategoryTable(runs: UnicodeTables.categoryRuns)

  private init(runs: [UnicodeTables.CategoryRun]) {
    var blocks: [UInt16] = []
    var categories: [UInt8] = []
    // The block of each category that is all of it.
    var uniform: [GeneralCategory: UInt16] = [:]
    var run = 0
    for start in stride(from: UInt32(0), through: ScalarRanges.last, by: 256) {
      let next = UInt16(categories.count >> 8)
      if runs[run].scalars.upperBound >= start + 255 {
        blocks.append(uniform[runs[run].category, default: next])
        if blocks.last == next {
          uniform[runs[run].category] = next
          categories += repeatElement(runs[run].category.rawValue, count: 256)
        }
      } else {
        blocks.append(next)
        var scalar = start
        while scalar < start + 256 {
          let end = min(runs[run].scalars.upperBound, start + 255)
          categories += repeatElement(runs[run].category.rawValue, count: Int(end + 1 - scalar))
          scalar = end + 1
          if scalar > runs[run].scalars.upperBound { run += 1 }
        }
      }
      if run < runs.count, runs[run].scalars.upperBound == start + 255 { run += 1 }
    }
    for scalar in [9, 10, 11, 12, 13, 0x85] {
      categories[Int(blocks[0]) << 8 + scalar] = GeneralCategory.blankControl.rawValue
    }
    self.blocks = blocks
    self.categories = categories
  }

  /// The raw value of the category of `scalar`.
  @inline(__always)
  func category(_ scalar: UInt32) -> UInt8 {
    categories[Int(blocks[Int(scalar >> 8)]) << 8 + Int(scalar & 0xFF)]
  }
}
