import Formats
import Testing

/// Orders of rows, against ones written out by hand.
@Suite struct RowOrderTests {
  private func rows(_ order: RowOrder?) -> [Int]? {
    order.map { order in (0..<order.count).map(order.row) }
  }

  @Test func loopsAreNested() {
    // Two heads of six rows, three pairs of each, the rows of a pair three apart.
    let order = RowOrder(
      [.init([.init(2, step: 6), .init(3, step: 1), .init(2, step: 3)])], of: 12)
    #expect(rows(order) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
  }

  @Test func runsFollowEachOther() {
    // Two groups of [a, a, b]: all a, then all b.
    let order = RowOrder(
      [
        .init(first: 0, [.init(2, step: 3), .init(2, step: 1)]),
        .init(first: 2, [.init(2, step: 3)]),
      ], of: 6)
    #expect(rows(order) == [0, 1, 3, 4, 2, 5])
    #expect(rows(RowOrder([.init(first: 4, [])], of: 5)) == [4])
  }

  @Test(arguments: [
    [], [RowOrder.Run(first: 6, [])], [.init(first: -1, [])], [.init([.init(7, step: 1)])],
    [.init([.init(2, step: 6)])], [.init([.init(0, step: 1)])], [.init([.init(2, step: -1)])],
    [.init([.init(.max, step: .max)])], [.init([.init(2, step: 0), .init(.max, step: 0)])],
    // Seven rows of six.
    [.init([.init(6, step: 1)]), .init(first: 1, [])],
  ])
  func rowsThatCannotBeAreNone(runs: [RowOrder.Run]) {
    #expect(RowOrder(runs, of: 6) == nil)
  }
}
