import Foundation

/// Attention with linear biases: a slope for each head, times the position of the key, is added to the
/// scores. Press et al., arXiv 2108.12409, section 3.
package struct LinearBias: Sendable, Equatable {
  package enum Form: Sendable, Equatable {
    /// Added to scaled scores.
    case exact
    /// Falcon's: slopes and products are rounded to BF16, and scaled with the scores.
    case roundedAndScaled
  }

  package let form: Form

  /// `2^(-8 (h + 1) / heads)` where heads are a power of two; else those of the largest power below, then
  /// every other one of twice as many. Source: the authors' `get_slopes`.
  package static func slopes(heads: Int) -> [Double] {
    guard heads > 0 else { return [] }
    let power = 1 << (Int.bitWidth - 1 - heads.leadingZeroBitCount)
    func slope(_ number: Int, of count: Int) -> Double {
      exp2(-8 * Double(number) / Double(count))
    }
    return (1...power).map { slope($0, of: power) }
      + (0..<heads - power).map { slope(2 * $0 + 1, of: 2 * power) }
  }
}
