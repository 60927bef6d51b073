/// How little a layer changes the hidden states: the cosine similarity of what enters it and what leaves it, mean
/// over the tokens, `mean_t (x_t · y_t) / (|x_t| |y_t|)`. One less it is the block influence of ShortGPT
/// (arXiv 2403.03853, section 3.1). llama.cpp's `imatrix --show-statistics` calls another figure CosSim: it compares
/// the mean squares of inputs in neighbouring layers.
package struct LayerSimilarity: Sendable, Equatable {
  package let layer: Int
  private var sum = 0.0
  /// Tokens that have a cosine.
  private var count = 0

  init(layer: Int) { self.layer = layer }

  /// - Parameters: `[tokens, features]`, row-major. Tokens without a length, where either is all 0, do not count.
  mutating func add(_ entering: Span<Float>, _ leaving: Span<Float>, features: Int) {
    for start in stride(from: 0, to: entering.count, by: features) {
      var (product, before, after) = (0.0, 0.0, 0.0)
      for index in start..<start + features {
        let (x, y) = (Double(entering[index]), Double(leaving[index]))
        product += x * y
        before += x * x
        after += y * y
      }
      guard before > 0, after > 0 else { continue }
      sum += product / (before * after).squareRoot()
      count += 1
    }
  }

  /// From -1 to 1; nil where no token has a length.
  package var cosine: Double? { count > 0 ? sum / Double(count) : nil }
}
