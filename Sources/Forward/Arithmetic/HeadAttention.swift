import Formats
import Foundation
import Model

/// Attention of the query heads that share one head of keys and values, over one window. A few queries at a
/// time: there is never a matrix of all queries and keys.
final class HeadAttention {
  struct Inputs {
    /// `[tokens, features]` each, of all windows. Keys and values may be more than queries: then there is
    /// one window, and the queries are of its last tokens.
    let queries: Activations
    var keys: Activations
    var values: Activations
    let heads: AttentionHeads
    let scoring: AttentionScoring
    let bias: LinearBias?
    /// Of all query heads; empty where there are none.
    let sinks: [Float]

    /// Tokens of the window before the first query.
    var past: Int { keys.tokens - queries.tokens }
  }

  /// `[query heads of the group, positions, value width]`: what the last call of `attend` gave.
  private(set) var output: [Float] = []
  /// A row for each key.
  private var keys = Numbers.Panels()
  /// A row for each feature of the values, of which the keys are the inputs.
  private var values = Numbers.Panels()
  private var scores: [Float] = []
  /// See `Kernels.panelProduct`.
  private let fused: Bool

  init(fused: Bool = true) { self.fused = fused }

  /// Queries at a time: a multiple of what the kernels take at once.
  static let queryCount = 36
  /// Keys that are seen begin at multiples of what is side by side in a panel.
  private static let keyStep = 16

  /// - Parameter window: the tokens of a window that have queries.
  func attend(_ inputs: Inputs, window: Range<Int>, keyHead: Int) {
    let heads = inputs.heads
    let group = heads.count / heads.keyValueCount
    let (length, past) = (window.count, inputs.past)
    pack(inputs, window.lowerBound..<window.upperBound + past, keyHead)
    output.grow(to: group * length * heads.valueWidth, filler: 0)
    scores.grow(to: Self.queryCount * keys.rows, filler: 0)
    let slopes = inputs.bias == nil ? [] : LinearBias.slopes(heads: heads.count)
    for member in 0..<group {
      let head = keyHead * group + member
      for first in stride(from: 0, to: length, by: Self.queryCount) {
        let rows = first..<min(first + Self.queryCount, length)
        let begin = max(0, past + first + 1 - (inputs.scoring.window ?? keys.rows))
        let seen = begin / Self.keyStep * Self.keyStep..<past + rows.upperBound
        keys.product(
          inputs.queries.values,
          from: (window.lowerBound + first) * inputs.queries.features + head * heads.width,
          tokens: rows.count, stride: inputs.queries.features, rows: seen, inputs: 0..<heads.width,
          fused: fused, into: &scores)
        Self.weigh(
          &scores, queries: past + rows.lowerBound..<past + rows.upperBound, keys: seen,
          inputs.scoring, bias: inputs.bias.map { ($0.form, slopes[head]) },
          sink: inputs.sinks.isEmpty ? nil : inputs.sinks[head])
        values.product(
          scores, from: 0, tokens: rows.count, stride: seen.count, rows: 0..<heads.valueWidth,
          inputs: seen, fused: fused, into: &output,
          at: (member * length + first) * heads.valueWidth)
      }
    }
  }

  /// Once for all query heads of the group.
  private func pack(_ inputs: Inputs, _ tokens: Range<Int>, _ head: Int) {
    let heads = inputs.heads
    keys.pack(
      inputs.keys.values, from: tokens.lowerBound * inputs.keys.features + head * heads.width,
      rows: tokens.count, k: heads.width, rowStride: inputs.keys.features, inputStride: 1)
    values.pack(
      inputs.values.values,
      from: tokens.lowerBound * inputs.values.features + head * heads.valueWidth,
      rows: heads.valueWidth, k: tokens.count, rowStride: 1, inputStride: inputs.values.features)
  }

  /// Makes probabilities of the products of queries with keys; 0 for keys that a query does not see.
  static func weigh(
    _ scores: inout [Float], queries: Range<Int>, keys: Range<Int>, _ scoring: AttentionScoring,
    bias: (form: LinearBias.Form, slope: Double)?, sink: Float?
  ) {
    var all = scores.mutableSpan
    for (row, query) in queries.enumerated() {
      let start = row * keys.count
      let first = max(keys.lowerBound, query + 1 - (scoring.window ?? query + 1))
      let visible = start + first - keys.lowerBound..<start + query + 1 - keys.lowerBound
      let most =
        bias == nil && scoring.cap == nil
        ? Numbers.multiply(&all, visible, by: scoring.scale)
        : score(&all, visible, firstKey: first, scoring, bias)
      let largest = max(most, sink ?? -.infinity)
      let sum =
        Numbers.exponentiate(&all, visible, largest: largest)
        + (sink.map { Double(exp($0 - largest)) } ?? 0)
      Numbers.multiply(&all, visible, by: Float(1 / sum))
      for index in start..<visible.lowerBound { all[index] = 0 }
      for index in visible.upperBound..<start + keys.count { all[index] = 0 }
    }
  }

  /// Scores where more is done to products than to scale them.
  ///
  /// - Returns: the largest.
  private static func score(
    _ scores: inout MutableSpan<Float>, _ visible: Range<Int>, firstKey: Int,
    _ scoring: AttentionScoring, _ bias: (form: LinearBias.Form, slope: Double)?
  ) -> Float {
    var largest = -Float.infinity
    for index in visible {
      let key = Float(firstKey + index - visible.lowerBound)
      var score: Float
      switch bias {
      case nil: score = scores[index] * scoring.scale
      case (.exact, let slope)?: score = scores[index] * scoring.scale + Float(slope) * key
      case (.roundedAndScaled, let slope)?:
        let rounded = ScaleType.bf16.round(ScaleType.bf16.round(Float(slope)) * key)
        score = (scores[index] + rounded) * scoring.scale
      }
      if let cap = scoring.cap { score = softCapped(score, cap) }
      scores[index] = score
      largest = max(largest, score)
    }
    return largest
  }
}
