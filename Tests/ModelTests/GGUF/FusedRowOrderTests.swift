import Formats
import Testing

@testable import Model

@Suite struct FusedRowOrderTests {
  @Test func groupsOfQueriesKeysAndValuesAreTakenApart() throws {
    // Falcon with two groups of two queries: [q, q, k, v] each, of one row.
    let rows = try #require(
      FusedRows([.init(.q, 2), .init(.k, 1), .init(.v, 1)], repeats: 2, rowCount: 8))
    let order = try #require(rows.order(of: [.q, .k, .v]))
    #expect((0..<8).map(order.row) == [0, 1, 4, 5, 2, 6, 3, 7])
  }

  @Test func whatLiesSoIsLeftAlone() throws {
    let rows = try #require(FusedRows([.init(.q, 4), .init(.k, 2), .init(.v, 2)], rowCount: 8))
    #expect(rows.order(of: [.q, .k, .v]) == nil)
  }

  @Test func pairsOfHalvesBecomeNeighbours() {
    let order = RowOrder.paired(heads: 2, width: 6)
    #expect((0..<12).map(order.row) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
  }
}
