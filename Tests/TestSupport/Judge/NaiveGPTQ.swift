/// GPTQ as Algorithm 1 of arXiv 2210.17323 has it: the inverse made by elimination, its Cholesky factor, and one
/// row, one column after the other. In `Double`, without blocks.
package struct NaiveGPTQ {
  /// The damped matrix, by channels.
  package let gram: [[Double]]
  private let order: [Int]
  /// Upper triangular, with the inverse as its transpose times itself.
  private let factor: [[Double]]

  /// - Parameters:
  ///   - damping: of the mean of the diagonal.
  ///   - order: the channel in each place.
  package init(_ gram: [[Double]], damping: Double, order: [Int]) {
    let count = gram.count
    let added = damping * (0..<count).reduce(0) { $0 + gram[$1][$1] } / Double(count)
    var damped = gram
    for index in 0..<count { damped[index][index] += added }
    self.gram = damped
    self.order = order
    factor = Self.factor(Self.inverse(order.map { row in order.map { damped[row][$0] } }))
  }

  /// - Parameter decode: what a code of a column stands for; codes are from 0 to `largestCode`.
  package func codes(
    _ row: [Double], largestCode: Int, decode: (_ column: Int, _ code: Int) -> Double
  ) -> [Int] {
    var row = row
    var codes = [Int](repeating: 0, count: row.count)
    for (place, column) in order.enumerated() {
      let distances = (0...largestCode).map { abs(decode(column, $0) - row[column]) }
      let code = distances.firstIndex(of: distances.min()!)!
      codes[column] = code
      let error = (row[column] - decode(column, code)) / factor[place][place]
      for later in place..<order.count { row[order[later]] -= error * factor[place][later] }
    }
    return codes
  }

  /// What errors of a row lose.
  package func weightedError(_ residuals: [Double]) -> Double {
    var sum = 0.0
    for (row, first) in residuals.enumerated() {
      for (column, second) in residuals.enumerated() { sum += first * gram[row][column] * second }
    }
    return sum
  }

  /// By Gauss and Jordan, with the largest pivot.
  private static func inverse(_ matrix: [[Double]]) -> [[Double]] {
    let count = matrix.count
    var rows = matrix.enumerated().map { index, row in
      row + (0..<count).map { $0 == index ? 1 : 0 }
    }
    for column in 0..<count {
      let pivot = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) }!
      rows.swapAt(pivot, column)
      let divisor = rows[column][column]
      rows[column] = rows[column].map { $0 / divisor }
      let base = rows[column]
      for other in 0..<count where other != column {
        let multiple = rows[other][column]
        for index in column..<2 * count { rows[other][index] -= multiple * base[index] }
      }
    }
    return rows.map { Array($0[count...]) }
  }

  private static func factor(_ matrix: [[Double]]) -> [[Double]] {
    let count = matrix.count
    var upper = [[Double]](repeating: Array(repeating: 0, count: count), count: count)
    for row in 0..<count {
      for column in row..<count {
        let rest = (0..<row).reduce(matrix[row][column]) { $0 - upper[$1][row] * upper[$1][column] }
        upper[row][column] = column == row ? rest.squareRoot() : rest / upper[row][row]
      }
    }
    return upper
  }
}
