/// Rows of a matrix in an order of their own: what loops over them give, one run of loops after the other.
///
/// Llama's queries as llama.cpp rotates them, of `h` heads of `w` rows, are one run: each of `h` heads, each of
/// `w / 2` pairs, each of its two rows, which lie `w / 2` apart.
package struct RowOrder: Sendable, Equatable {
  /// How many times, and how many rows further each time.
  package struct Loop: Sendable, Equatable {
    package let count: Int
    package let step: Int

    package init(_ count: Int, step: Int) {
      self.count = count
      self.step = step
    }
  }

  /// Nested loops, the outermost first, from a row on.
  package struct Run: Sendable, Equatable {
    package let first: Int
    package let loops: [Loop]

    package init(first: Int = 0, _ loops: [Loop]) {
      self.first = first
      self.loops = loops
    }

    fileprivate var count: Int { loops.reduce(1) { $0 * $1.count } }

    fileprivate func row(_ place: Int) -> Int {
      var (row, rest) = (first, place)
      for loop in loops.reversed() {
        row += rest % loop.count * loop.step
        rest /= loop.count
      }
      return row
    }

    /// The largest row, and how many rows there are; nil where one is no number below `limit`.
    fileprivate func extent(below limit: Int) -> (last: Int, count: Int)? {
      guard first >= 0, first < limit else { return nil }
      var (last, count) = (first, 1)
      for loop in loops {
        guard loop.count > 0, loop.step >= 0 else { return nil }
        let (reach, overflow) = (loop.count - 1).multipliedReportingOverflow(by: loop.step)
        guard !overflow, reach < limit - last, loop.count <= limit / count else { return nil }
        last += reach
        count *= loop.count
      }
      return (last, count)
    }
  }

  package let runs: [Run]
  /// Rows of all runs together.
  package let count: Int

  /// Fails unless there are rows, as many as `rowCount` at most, and all of them are among the first `rowCount`.
  package init?(_ runs: [Run], of rowCount: Int) {
    var count = 0
    for run in runs {
      guard let extent = run.extent(below: rowCount), extent.count <= rowCount - count else {
        return nil
      }
      count += extent.count
    }
    guard count > 0 else { return nil }
    self.runs = runs
    self.count = count
  }

  /// The row that stands at `place`.
  package func row(at place: Int) -> Int {
    var place = place
    for run in runs {
      let count = run.count
      if place < count { return run.row(place) }
      place -= count
    }
    preconditionFailure("a place among the rows")
  }
}
