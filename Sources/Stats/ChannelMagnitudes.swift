/// Largest magnitude of every row and column of a matrix that is seen in runs of its elements.
package struct ChannelMagnitudes: Sendable {
  /// By row, from `firstRow` on.
  package private(set) var rows: [Float] = []
  package private(set) var firstRow = 0
  package private(set) var columns: [Float] = []

  package init() {}

  /// Prepares for `columnCount` columns and the rows `rows`; all magnitudes 0.
  package mutating func reset(rows rowRange: Range<Int>, columnCount: Int) {
    firstRow = rowRange.lowerBound
    rows = Array(repeating: 0, count: rowRange.count)
    if columns.count != columnCount {
      columns = Array(repeating: 0, count: columnCount)
    } else {
      for index in columns.indices { columns[index] = 0 }
    }
  }

  /// Sees `count` finite values, which are elements `start` and following of the matrix in
  /// row-major order.
  package mutating func add(_ values: [Float], count: Int, start: Int) {
    guard !columns.isEmpty else { return }
    let width = columns.count
    var done = 0
    while done < count {
      let (row, column) = (start + done).quotientAndRemainder(dividingBy: width)
      let run = min(count - done, width - column)
      let largest = Self.add(values.span, done, run, to: &columns, at: column)
      rows[row - firstRow] = max(rows[row - firstRow], largest)
      done += run
    }
  }

  /// Sees a run of one row, and returns its largest magnitude.
  private static func add(
    _ source: Span<Float>, _ start: Int, _ count: Int, to columns: inout [Float], at column: Int
  ) -> Float {
    var target = columns.mutableSpan
    var largest: Float = 0
    for index in 0..<count {
      let magnitude = source[start + index].magnitude
      largest = magnitude > largest ? magnitude : largest
      let before = target[column + index]
      target[column + index] = magnitude > before ? magnitude : before
    }
    return largest
  }

  /// Adds what `other` saw: some of the same rows, and the same columns.
  package mutating func merge(_ other: ChannelMagnitudes) {
    for (index, magnitude) in other.rows.enumerated() {
      let row = other.firstRow + index - firstRow
      rows[row] = max(rows[row], magnitude)
    }
    for (index, magnitude) in other.columns.enumerated() {
      columns[index] = max(columns[index], magnitude)
    }
  }
}
