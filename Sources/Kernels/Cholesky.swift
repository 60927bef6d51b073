/// Factors a symmetric positive definite matrix: A = L Lᵀ, L lower triangular. Rows are taken four at a time,
/// so that those before them pass through the caches once for four.
///
/// - Parameters:
///   - matrix: the lower triangle by rows, row i from `i * (i + 1) / 2` on: of A, replaced by L.
///   - order: rows, a multiple of four.
/// - Returns: whether A is positive definite; else what is left in `matrix` means nothing.
package func factorCholesky(_ matrix: inout MutableSpan<Double>, order: Int) -> Bool {
  precondition(order >= 0 && order % 4 == 0 && matrix.count >= order * (order + 1) / 2)
  for first in stride(from: 0, to: order, by: 4) {
    let starts = SIMD4<Int>(
      triangleRow(first), triangleRow(first &+ 1), triangleRow(first &+ 2),
      triangleRow(first &+ 3))
    for column in 0..<first {
      let row = triangleRow(column)
      let pivot = unsafe matrix[unchecked: row &+ column]
      let products = FourProducts(matrix.span, row, starts, count: column).sums
      for index in 0..<4 {
        let place = starts[index] &+ column
        unsafe matrix[unchecked: place] = (matrix[unchecked: place] - products[index]) / pivot
      }
    }
    for index in 0..<4 {
      for column in first...first &+ index {
        let row = triangleRow(column)
        let place = starts[index] &+ column
        let product = FourProducts(
          matrix.span, row, SIMD4(repeating: starts[index]), count: column
        ).sums[0]
        let rest = unsafe matrix[unchecked: place] - product
        if column < first &+ index {
          unsafe matrix[unchecked: place] = rest / matrix[unchecked: row &+ column]
        } else {
          guard rest > 0, rest.isFinite else { return false }
          unsafe matrix[unchecked: place] = rest.squareRoot()
        }
      }
    }
  }
  return true
}

private func triangleRow(_ row: Int) -> Int { row &* (row &+ 1) / 2 }

/// Products of one row with four others.
private struct FourProducts {
  private(set) var sums = SIMD4<Double>.zero

  /// The caller has checked all places.
  @inline(__always)
  init(_ numbers: Span<Double>, _ row: Int, _ others: SIMD4<Int>, count: Int) {
    var (sum0, sum1) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    var (sum2, sum3) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    var index = 0
    while index &+ 4 <= count {
      let factors = numbers.four(row &+ index)
      sum0 += factors * numbers.four(others[0] &+ index)
      sum1 += factors * numbers.four(others[1] &+ index)
      sum2 += factors * numbers.four(others[2] &+ index)
      sum3 += factors * numbers.four(others[3] &+ index)
      index &+= 4
    }
    sums = SIMD4(Self.sum(sum0), Self.sum(sum1), Self.sum(sum2), Self.sum(sum3))
    while index < count {
      let factor = unsafe numbers[unchecked: row &+ index]
      for other in 0..<4 {
        unsafe sums[other] += factor * numbers[unchecked: others[other] &+ index]
      }
      index &+= 1
    }
  }

  @inline(__always)
  private static func sum(_ lanes: SIMD4<Double>) -> Double {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }
}

extension Span<Double> {
  /// The four numbers from an index on that the caller has checked.
  @inline(__always)
  fileprivate func four(_ index: Int) -> SIMD4<Double> {
    unsafe bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: index &* 8, as: SIMD4<Double>.self)
  }
}
