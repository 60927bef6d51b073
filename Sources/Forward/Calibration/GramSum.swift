import Convert

/// Adds up second moments of a layer's inputs while tokens pass: products in F32 of some tokens at a time,
/// their sums in `Double`. Sums do not depend on the number of threads.
final class GramSum {
  let order: Int
  private(set) var tokenCount = 0
  /// The lower triangle, as in `GramMatrix`.
  private var sums: [Double]

  /// Tokens whose products are added in F32.
  private static let tokensAtOnce = 512
  /// Rows of the matrix that are one piece of work.
  private static let stripe = 256

  /// - Parameter order: input channels.
  init(order: Int) {
    self.order = order
    sums = [Double](repeating: 0, count: order * (order + 1) / 2)
  }

  /// Means over all tokens.
  var matrix: GramMatrix {
    let scale = 1 / Double(max(1, tokenCount))
    return GramMatrix(
      order: order, tokenCount: tokenCount, values: sums.map { Float($0 * scale) })
  }

  private final class Slot {
    var products: [Float] = []
    var panels: [Float] = []
  }

  /// - Parameter values: `[tokens, order]`, row-major.
  /// - Throws: `CancellationError`.
  func add(_ values: Span<Float>, _ context: RunContext) throws {
    let tokens = values.count / order
    var first = 0
    while first < tokens {
      let count = min(Self.tokensAtOnce, tokens - first)
      try add(transposed(values, first..<first + count), tokens: count, context)
      first += count
    }
    tokenCount += tokens
  }

  /// - Returns: `[order, tokens.count]`, row-major.
  private func transposed(_ values: Span<Float>, _ tokens: Range<Int>) -> [Float] {
    var turned = [Float](repeating: 0, count: order * tokens.count)
    for (place, token) in tokens.enumerated() {
      for input in 0..<order {
        turned[input * tokens.count + place] = values[token * order + input]
      }
    }
    return turned
  }

  private func add(_ turned: [Float], tokens: Int, _ context: RunContext) throws {
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * context.threads).map { _ in Slot() },
      next: { [order] () -> Range<Int>? in
        guard next < order else { return nil }
        defer { next += Self.stripe }
        return next..<min(order, next + Self.stripe)
      },
      work: { rows, slot in
        try context.cancellation.check()
        slot.products.grow(to: rows.count * rows.upperBound, filler: 0)
        var products = slot.products.mutableSpan
        Numbers.product(
          turned.span.extracting(rows.lowerBound * tokens..<rows.upperBound * tokens),
          tokens: rows.count, weights: turned.span, rows: rows.upperBound, k: tokens,
          panels: &slot.panels, into: &products)
      },
      handOn: { [self] rows, slot in
        for row in rows {
          let from = (row - rows.lowerBound) * rows.upperBound
          let to = row * (row + 1) / 2
          for column in 0...row { sums[to + column] += Double(slot.products[from + column]) }
        }
      })
    try pipeline.run(threads: context.threads)
  }
}
