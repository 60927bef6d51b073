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
  private var keyRows: [Float] = []
  private var queryRows: [Float] = []
  private var scores: [Float] = []
  /// `[value width, positions]`.
  private var valueColumns: [Float] = []
  private var mixed: [Float] = []

  /// Queries at a time.
  private static let queryCount = 32

  /// - Parameter window: the tokens of a window that have queries.
  func attend(_ inputs: Inputs, window: Range<Int>, keyHead: Int) {
    let heads = inputs.heads
    let group = heads.count / heads.keyValueCount
    let (length, past) = (window.count, inputs.past)
    let keys = window.lowerBound..<window.upperBound + past
    keyRows.grow(to: keys.count * heads.width, filler: 0)
    Self.copyHead(
      inputs.keys, keys, keyHead, width: heads.width, apart: (heads.width, 1), into: &keyRows)
    valueColumns.grow(to: keys.count * heads.valueWidth, filler: 0)
    Self.copyHead(
      inputs.values, keys, keyHead, width: heads.valueWidth, apart: (1, keys.count),
      into: &valueColumns)
    mixed.grow(to: Self.queryCount * heads.valueWidth, filler: 0)
    output.grow(to: group * length * heads.valueWidth, filler: 0)
    queryRows.grow(to: Self.queryCount * heads.width, filler: 0)
    scores.grow(to: Self.queryCount * keys.count, filler: 0)
    let slopes = inputs.bias == nil ? [] : LinearBias.slopes(heads: heads.count)
    for member in 0..<group {
      let head = keyHead * group + member
      for first in stride(from: 0, to: length, by: Self.queryCount) {
        let rows = first..<min(first + Self.queryCount, length)
        let seen =
          max(0, past + first + 1 - (inputs.scoring.window ?? keys.count))..<past + rows.upperBound
        Self.copyHead(
          inputs.queries, window.lowerBound + rows.lowerBound..<window.lowerBound + rows.upperBound,
          head, width: heads.width, apart: (heads.width, 1), into: &queryRows)
        multiply(rows: rows.count, keys: seen, width: heads.width)
        for row in rows {
          Self.weigh(
            &scores, at: (row - first) * seen.count, keys: seen, query: past + row, inputs.scoring,
            bias: inputs.bias.map { ($0.form, slopes[head]) },
            sink: inputs.sinks.isEmpty ? nil : inputs.sinks[head])
        }
        mix(rows: rows.count, keys: seen, length: keys.count, width: heads.valueWidth)
        let start = (member * length + first) * heads.valueWidth
        for index in 0..<rows.count * heads.valueWidth { output[start + index] = mixed[index] }
      }
    }
  }

  /// Adds up values, weighed.
  private func mix(rows: Int, keys: Range<Int>, length: Int, width: Int) {
    let (probabilities, columns) = (scores, valueColumns)
    Numbers.product(
      probabilities, tokens: rows,
      weights: columns.span.extracting(keys.lowerBound..<length * width), rows: width,
      k: keys.count, stride: length, into: &mixed)
  }

  private func multiply(rows: Int, keys: Range<Int>, width: Int) {
    let (queries, all) = (queryRows, keyRows)
    Numbers.product(
      queries, tokens: rows,
      weights: all.span.extracting(keys.lowerBound * width..<keys.upperBound * width),
      rows: keys.count, k: width, into: &scores)
  }

  /// - Parameter apart: how far tokens, and features of a token, are from each other in `output`.
  private static func copyHead(
    _ activations: Activations, _ tokens: Range<Int>, _ head: Int, width: Int,
    apart: (tokens: Int, features: Int), into output: inout [Float]
  ) {
    let values = activations.values
    for (place, token) in tokens.enumerated() {
      let from = token * activations.features + head * width
      let to = place * apart.tokens
      for index in 0..<width { output[to + index * apart.features] = values[from + index] }
    }
  }

  /// Makes probabilities of the products of one query with keys; 0 for those that it does not see.
  private static func weigh(
    _ scores: inout [Float], at start: Int, keys: Range<Int>, query: Int,
    _ scoring: AttentionScoring, bias: (form: LinearBias.Form, slope: Double)?, sink: Float?
  ) {
    let first = max(keys.lowerBound, query + 1 - (scoring.window ?? query + 1))
    let visible = start + first - keys.lowerBound..<start + query + 1 - keys.lowerBound
    var largest = sink ?? -.infinity
    for index in visible {
      let key = Float(keys.lowerBound + index - start)
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
    var sum = sink.map { Double(exp($0 - largest)) } ?? 0
    for index in visible {
      let power = exp(scores[index] - largest)
      scores[index] = power
      sum += Double(power)
    }
    let factor = Float(1 / sum)
    for index in visible { scores[index] *= factor }
    for index in start..<visible.lowerBound { scores[index] = 0 }
    for index in visible.upperBound..<start + keys.count { scores[index] = 0 }
  }
}
