/// Rows of numbers that stand side by side in what these kernels take: `[columns, 16]`.
let stripRows = 16

/// Sums of sixteen rows of numbers, each times a factor, for four columns of factors: held in registers
/// while the numbers pass. Products are rounded before they are added, so that every level gives the same.
struct FourColumns {
  private(set) var sums0 = (Lanes.zero, Lanes.zero)
  private(set) var sums1 = (Lanes.zero, Lanes.zero)
  private(set) var sums2 = (Lanes.zero, Lanes.zero)
  private(set) var sums3 = (Lanes.zero, Lanes.zero)

  /// The caller has checked all places.
  ///
  /// - Parameters:
  ///   - place: where the factors of the four columns for the first of `range` begin in `factors`, a
  ///     `[range.count, 4]`.
  ///   - range: columns of `numbers`, summed in this order.
  @inline(__always)
  init(
    _ factors: Span<Float>, from place: Int, _ numbers: Span<Float>, columns range: Range<Int>
  ) {
    var place = place
    for column in range {
      add(factors, place, numbers, column)
      place &+= 4
    }
  }

  @inline(__always)
  mutating func add(
    _ factors: Span<Float>, _ place: Int, _ numbers: Span<Float>, _ column: Int
  ) {
    let low = numbers.eight(column &* stripRows)
    let high = numbers.eight(column &* stripRows &+ 8)
    Self.add(factors, place, low, high, to: &sums0)
    Self.add(factors, place &+ 1, low, high, to: &sums1)
    Self.add(factors, place &+ 2, low, high, to: &sums2)
    Self.add(factors, place &+ 3, low, high, to: &sums3)
  }

  @inline(__always)
  private static func add(
    _ factors: Span<Float>, _ place: Int, _ low: Lanes, _ high: Lanes,
    to sums: inout (Lanes, Lanes)
  ) {
    let factor = unsafe Lanes(repeating: factors[unchecked: place])
    sums = (sums.0 + factor * low, sums.1 + factor * high)
  }

  /// Puts the sums where four columns of a `[columns, 16]` begin.
  @inline(__always)
  func store(_ place: Int, of output: inout MutableSpan<Float>) {
    output.setEight(sums0.0, place)
    output.setEight(sums0.1, place &+ 8)
    output.setEight(sums1.0, place &+ 16)
    output.setEight(sums1.1, place &+ 24)
    output.setEight(sums2.0, place &+ 32)
    output.setEight(sums2.1, place &+ 40)
    output.setEight(sums3.0, place &+ 48)
    output.setEight(sums3.1, place &+ 56)
  }
}
