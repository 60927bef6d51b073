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
package struct AttentionHeads: Sendable, Hashable {
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
