import Stats

/// The ratio of two sums over blocks, and how uncertain it is.
struct SampledRatio {
  let ratio: Double
  /// One standard deviation as a share of the ratio, from the spread of the blocks' own ratios
  /// (Cochran, Sampling Techniques, 1977, eq. 6.13 without the correction for a finite population).
  let relativeDeviation: Double

  init(_ blocks: [QuantizationError]) {
    let error = blocks.reduce(0) { $0 + $1.squaredError }
    let norm = blocks.reduce(0) { $0 + $1.squaredNorm }
    ratio = norm > 0 ? error / norm : 0
    guard blocks.count > 1, ratio > 0 else {
      relativeDeviation = 0
      return
    }
    let ratio = ratio
    let count = Double(blocks.count)
    let spread = blocks.reduce(0) { total, block in
      let residual = block.squaredError - ratio * block.squaredNorm
      return total + residual * residual
    }
    relativeDeviation = (spread / (count * (count - 1))).squareRoot() / (norm / count) / ratio
  }
}
