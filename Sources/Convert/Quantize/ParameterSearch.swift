import Formats

/// Looks for the scale and bias of one group with the least squared error, each weight's error
/// counting as much as its input channel does.
///
/// From several clipped ranges it alternates two steps that can each only lower the error: every
/// weight takes its nearest code, then scale and bias are the least-squares line through the
/// weights of the codes (algorithms: k-quants of llama.cpp; Lloyd's iteration for a uniform
/// quantizer). The line is fitted to what the line before leaves, not to the weights: these sums are
/// small, and the error that follows from them does not drown in their rounding at 8 bits.
///
/// Works on `u = (w - min) / (max - min) * largestCode`, so that no magnitude of weight can
/// overflow or vanish in the sums.
struct ParameterSearch {
  private let largestCode: Int
  /// Shares of the range to clip at both ends before the first step.
  private let clips: [Float]
  /// Normalized weights of the group in eights: `SIMD8` keeps the order of the sums fixed.
  private var normalized: [SIMD8<Float>]
  /// How much each of them counts.
  private var importance: [SIMD8<Float>]
  private var isWeighted = false
  private var totalImportance: Float

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
    importance = Array(repeating: .one, count: layout.groupSize / 8)
    totalImportance = Float(layout.groupSize)
  }

  /// A line `u = code * scale + offset` in normalized units, and its squared error with the codes
  /// that it was fitted to.
  private struct Line {
    var scale: Float
    var offset: Float
    var error: Float
  }

  /// Sets what the group's weights count: `values` from `start` on, or all alike.
  mutating func setImportance(_ values: [Float]?, at start: Int) {
    guard let values else {
      guard isWeighted else { return }
      for block in importance.indices { importance[block] = .one }
      totalImportance = Float(importance.count * 8)
      isWeighted = false
      return
    }
    var total = SIMD8<Float>.zero
    for block in importance.indices {
      let eight = values.span.eight(at: start + block * 8)
      importance[block] = eight
      total += eight
    }
    totalImportance = total.sum()
    isWeighted = true
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
      let start = Line(
        scale: 1 - 2 * clip, offset: clip * Float(largestCode), error: .infinity)
      let line = descend(from: start, steps: 3)
      if line.error < (best?.error ?? .infinity) { best = line }
    }
    guard let best else { return nil }
    let line = descend(from: best, steps: 6)
    return GroupParameters(scale: line.scale * unit, bias: low + line.offset * unit)
  }

  /// Follows the steps from `start` while they lower the error.
  private func descend(from start: Line, steps: Int) -> Line {
    var line = start
    for _ in 0..<steps {
      guard let next = refit(line), next.error < line.error else { break }
      line = next
    }
    return line
  }

  private mutating func normalize(
    _ weights: Span<Float>, _ start: Int, _ count: Int, low: Float, unit: Float
  ) {
    for block in 0..<count / 8 {
      normalized[block] = (weights.eight(at: start + block * 8) - low) / unit
    }
  }

  /// The least-squares line for the codes that `line` gives; nil where all codes are equal.
  private func refit(_ line: Line) -> Line? {
    let inverse = 1 / line.scale
    let limit = SIMD8<Float>(repeating: Float(largestCode))
    let rounding = SIMD8<Float>(repeating: 0x1.8p23)
    var codeSums = SIMD8<Float>.zero
    var codeSquares = SIMD8<Float>.zero
    var rests = SIMD8<Float>.zero
    var restProducts = SIMD8<Float>.zero
    var errors = SIMD8<Float>.zero
    for block in normalized.indices {
      let (eight, counts) = (normalized[block], importance[block])
      var position = (eight - line.offset) * inverse
      position.replace(with: 0, where: position .< 0)
      position.replace(with: limit, where: position .> limit)
      let code = (position + rounding) - rounding
      let rest = eight - (code * line.scale + line.offset)
      let countedCode = counts * code
      let countedRest = counts * rest
      codeSums += countedCode
      codeSquares += countedCode * code
      rests += countedRest
      restProducts += countedRest * code
      errors += countedRest * rest
    }
    let (sq, sqq) = (codeSums.sum(), codeSquares.sum())
    let (sr, srq) = (rests.sum(), restProducts.sum())
    let determinant = totalImportance * sqq - sq * sq
    guard determinant > 0 else { return nil }
    let steeper = (totalImportance * srq - sr * sq) / determinant
    let higher = (sr - steeper * sq) / totalImportance
    guard line.scale + steeper > 0 else { return nil }
    return Line(
      scale: line.scale + steeper, offset: line.offset + higher,
      error: errors.sum() - steeper * srq - higher * sr)
  }
}
