extension [Float] {
  /// `[columns, rows]` of a matrix `[rows, columns]`.
  package func transposed(columns: Int) -> [Float] {
    let rows = count / columns
    return (0..<count).map { self[$0 % rows * columns + $0 / rows] }
  }
}
