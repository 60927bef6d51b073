import Convert

/// Products in F32 that are rounded before they are added: their last digits are the same on every processor, with
/// any number of threads.
struct PlainProducts {
  let threads: Int
  let cancellation: Cancellation
  /// Columns of a product that are computed at a time.
  private static let blockColumns = 64

  private final class Slot {
    var panels = Numbers.Panels()
    var results: [Float] = []
  }

  /// A Bᵀ.
  ///
  /// - Parameters:
  ///   - a: `[rows, k]`.
  ///   - b: element (column, index) of B is at `column * columnStride + index * stride`.
  ///   - output: receives `[rows, columns]`.
  /// - Throws: `CancellationError`.
  func multiply(
    _ a: [Float], rows: Int, k: Int, by b: [Float], columns: Int, columnStride: Int, stride: Int,
    into output: inout [Float]
  ) throws {
    precondition(a.count >= rows * k && output.count >= rows * columns)
    guard rows > 0, columns > 0 else { return }
    var next = 0
    var results = output
    output = []
    let pipeline = OrderedPipeline(
      slots: (0..<2 * threads).map { _ in Slot() },
      next: { () -> Range<Int>? in
        guard next < columns else { return nil }
        defer { next += Self.blockColumns }
        return next..<min(next + Self.blockColumns, columns)
      },
      work: { range, slot in
        try cancellation.check()
        slot.panels.pack(
          b, from: range.lowerBound * columnStride, rows: range.count, k: k,
          rowStride: columnStride, inputStride: stride)
        slot.results.grow(to: rows * range.count, filler: 0)
        slot.panels.product(
          a, from: 0, tokens: rows, stride: k, rows: 0..<range.count, inputs: 0..<k,
          fused: false, into: &slot.results)
      },
      handOn: { range, slot in
        place(slot.results, range, of: columns, rows: rows, into: &results)
      })
    try pipeline.run(threads: threads)
    output = results
  }
}

private func place(
  _ block: [Float], _ range: Range<Int>, of columns: Int, rows: Int, into output: inout [Float]
) {
  for row in 0..<rows {
    let (from, to) = (row * range.count, row * columns + range.lowerBound)
    for index in 0..<range.count { output[to + index] = block[from + index] }
  }
}

/// `[columns, rows]` of `[rows, columns]`.
func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
  var turned = [Float](repeating: 0, count: rows * columns)
  for row in 0..<rows {
    for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
  }
  return turned
}
