/// Largest magnitude of every row and column of a matrix that is seen in runs of its elements.
package struct ChannelMagnitudes: Sendable {
  /// By row, from `firstRow` on.
  package private(set) var rows: [Float] = []
  package private(set) var firstRow = 0
  package private(set) var columns: [Float] = []
  /// By column, of patterns whose numbers are not worked out yet.
  private var columnPatterns: [Int16] = []

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

  /// Sees `count` finite patterns of 16 bits, little-endian: a sign and what grows with the magnitude.
  ///
  /// - Parameter value: the number that a pattern stands for.
  package mutating func add(
    patterns bytes: [UInt8], count: Int, start: Int, value: (UInt16) -> Float
  ) {
    guard !columns.isEmpty else { return }
    precondition(bytes.count / 2 >= count)
    let width = columns.count
    columnPatterns = Array(repeating: 0, count: width)
    var done = 0
    while done < count {
      let (row, column) = (start + done).quotientAndRemainder(dividingBy: width)
      let run = min(count - done, width - column)
      let largest = Self.add(bytes.span, done, run, to: &columnPatterns, at: column)
      rows[row - firstRow] = max(rows[row - firstRow], value(UInt16(largest)))
      done += run
    }
    for column in 0..<width where columnPatterns[column] > 0 {
      columns[column] = max(columns[column], value(UInt16(columnPatterns[column])))
    }
  }

  /// Sees a run of one row, and returns its largest magnitude; all as patterns.
  private static func add(
    _ source: Span<UInt8>, _ start: Int, _ count: Int, to columns: inout [Int16], at column: Int
  ) -> Int16 {
    var target = columns.mutableSpan
    precondition(start >= 0 && start <= source.count / 2 - count)
    precondition(column >= 0 && column <= target.count - count)
    var largest: Int16 = 0
    for index in 0..<count {
      // Inside, by the checks above; every bit pattern of an integer is a value.
      let pattern = unsafe Int16(
        littleEndian: source.bytes.unsafeLoadUnaligned(
          fromUncheckedByteOffset: 2 &* (start &+ index), as: Int16.self))
      let magnitude = pattern & 0x7FFF
      largest = max(largest, magnitude)
      let before = unsafe target[unchecked: column &+ index]
      unsafe target[unchecked: column &+ index] = max(before, magnitude)
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
