/// A mean with its standard error, which takes values as independent of each other.
package struct MeanWithError: Sendable, Equatable {
  package let mean: Double
  package let standardError: Double

  package init(mean: Double, standardError: Double) {
    self.mean = mean
    self.standardError = standardError
  }

  /// `sqrt((mean(v²) - mean(v)²) / (n - 1))`; 0 for up to ten values. Source: llama.cpp,
  /// `tools/perplexity/perplexity.cpp`.
  package init(_ values: [Double]) {
    let count = Double(values.count)
    mean = values.isEmpty ? 0 : values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + $1 * $1 } / max(1, count)
    standardError =
      values.count > 10 ? (max(0, squares - mean * mean) / (count - 1)).squareRoot() : 0
  }
}
