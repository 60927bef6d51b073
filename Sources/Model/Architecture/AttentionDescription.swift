import Foundation

/// Attention with keys and values of its own: `softmax(scores) V` over the keys that a query sees.
package struct AttentionDescription: Sendable, Equatable {
  /// What makes queries, keys and values of the input.
  package enum Projection: Sendable, Equatable {
    case separate(query: LinearDescription, key: LinearDescription, value: LinearDescription)
    case fused(LinearDescription, FusedRows)
  }

  package let projection: Projection
  package let output: LinearDescription
  package let heads: AttentionHeads
  /// Over the features of all heads together.
  package let queryNorm: NormDescription?
  package let keyNorm: NormDescription?
  package let rotary: RotaryDescription?
  package let bias: LinearBias?
  package let scoring: AttentionScoring
}

/// Query head h attends to the keys of head `h / (count / keyValueCount)`.
package struct AttentionHeads: Sendable, Equatable {
  package let count: Int
  /// Divides `count`.
  package let keyValueCount: Int
  /// Of a query and a key.
  package let width: Int
  package let valueWidth: Int
}

/// How products of queries and keys become probabilities: scale, then cap, then the window, then softmax.
package struct AttentionScoring: Sendable, Equatable {
  package let scale: Float
  /// Scores s become `cap * tanh(s / cap)`.
  package let cap: Float?
  /// Positions that a query sees, its own included; nil for all before it.
  package let window: Int?
  /// A tensor of one logit for each head that joins the softmax and has no value.
  package let sinks: String?
}

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
