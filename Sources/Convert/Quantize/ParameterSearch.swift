import Formats

/// Looks for the scale and bias of one group with the least squared error.
///
/// From several clipped ranges it alternates two steps that can each only lower the error: every
/// weight takes its nearest code, then scale and bias are the least-squares line through the
/// weights of the codes (algorithms: k-quants of llama.cpp; Lloyd's iteration for a uniform
/// quantizer). The error of a line needs only sums over the codes, so a trial is one pass.
///
/// Works on `u = (w - min) / (max - min) * largestCode`, so that no magnitude of weight can
/// overflow or vanish in the sums.
struct ParameterSearch {
  private let largestCode: Int
  /// Shares of the range to clip at both ends before the first step.
  private let clips: [Float]
  /// Normalized weights of the group in eights: `SIMD8` keeps the order of the sums fixed.
  private var normalized: [SIMD8<Float>]
  private var sum: Float = 0
  private var squareSum: Float = 0

  init(layout: AffineLayout) {
    largestCode = layout.largestCode
    // The fewer the codes, the more clipping pays: up to a third of the range at 2 bits.
    let widest: Float =
      switch layout.bits {
      case 2: 0.32
      case 3: 0.20
      case 4: 0.12
      case 5: 0.06
      default: 0.03
      }
    clips = (0..<5).map { widest * Float($0) / 4 }
    normalized = Array(repeating: .zero, count: layout.groupSize / 8)
  }

  /// A line `u = code * scale + offset` in normalized units, and its squared error.
  private struct Line {
    var scale: Float
    var offset: Float
    var error: Float
  }

  /// The best parameters found for a group with `low < high`, before they are rounded for storage.
  mutating func best(
    _ weights: Span<Float>, _ start: Int, _ count: Int, low: Float, high: Float
  ) -> GroupParameters? {
    let unit = (high - low) / Float(largestCode)
    // A range beyond Float, or one so narrow that its unit is subnormal, is left to the formula.
    guard unit.isFinite, unit >= .leastNormalMagnitude else { return nil }
    normalize(weights, start, count, low: low, unit: unit)
    var best: Line?
    for clip in clips {
      let margin = clip * Float(largestCode)
      var line = Line(
        scale: 1 - 2 * clip, offset: margin, error: .infinity)
      for _ in 0..<3 {
        guard let next = refit(line), next.error < line.error else { break }
        line = next
      }
      if line.error < (best?.error ?? .infinity) { best = line }
    }
    guard var line = best else { return nil }
    for _ in 0..<6 {
      guard let next = refit(line), next.error < line.error else { break }
      line = next
    }
    return GroupParameters(scale: line.scale * unit, bias: low + line.offset * unit)
  }

  private mutating func normalize(
    _ weights: Span<Float>, _ start: Int, _ count: Int, low: Float, unit: Float
  ) {
    var sums = SIMD8<Float>.zero
    var squares = SIMD8<Float>.zero
    for block in 0..<count / 8 {
      var eight = SIMD8<Float>.zero
      for lane in 0..<8 { eight[lane] = weights[start + block * 8 + lane] }
      eight = (eight - low) / unit
      normalized[block] = eight
      sums += eight
      squares += eight * eight
    }
    sum = sums.sum()
    squareSum = squares.sum()
  }

  /// The least-squares line for the codes that `line` gives; nil where all codes are equal.
  private func refit(_ line: Line) -> Line? {
    let inverse = 1 / line.scale
    let limit = SIMD8<Float>(repeating: Float(largestCode))
    let rounding = SIMD8<Float>(repeating: 0x1.8p23)
    var codeSums = SIMD8<Float>.zero
    var codeSquares = SIMD8<Float>.zero
    var products = SIMD8<Float>.zero
    for eight in normalized {
      var position = (eight - line.offset) * inverse
      position.replace(with: 0, where: position .< 0)
      position.replace(with: limit, where: position .> limit)
      let code = (position + rounding) - rounding
      codeSums += code
      codeSquares += code * code
      products += eight * code
    }
    let count = Float(normalized.count * 8)
    let (sq, sqq, sxq) = (codeSums.sum(), codeSquares.sum(), products.sum())
    let determinant = count * sqq - sq * sq
    guard determinant > 0 else { return nil }
    let scale = (count * sxq - sum * sq) / determinant
    let offset = (sum - scale * sq) / count
    guard scale > 0 else { return nil }
    return Line(
      scale: scale, offset: offset, error: squareSum - scale * sxq - offset * sum)
  }
}
