import Formats
import Foundation
import Model

/// Attention of the query heads that share one head of keys and values, over one window. A few queries at a
/// time: there is never a matrix of all queries and keys.
final class HeadAttention {
  struct Inputs {
    /// `[tokens, features]` each, of all windows.
    let queries: Activations
    let keys: Activations
    let values: Activations
    let heads: AttentionHeads
    let scoring: AttentionScoring
    let bias: LinearBias?
    /// Of all query heads; empty where there are none.
    let sinks: [Float]
  }

  /// `[query heads of the group, positions, value width]`: what the last call of `attend` gave.
  private(set) var output: [Float] = []
  private var keyRows: [Float] = []
  private var queryRows: [Float] = []
  private var scores: [Float] = []

  /// Queries at a time.
  private static let queryCount = 32

  func attend(_ inputs: Inputs, window: Range<Int>, keyHead: Int) {
    let heads = inputs.heads
    let group = heads.count / heads.keyValueCount
    let length = window.count
    keyRows.grow(to: length * heads.width, filler: 0)
    Self.copyHead(inputs.keys, window, keyHead, width: heads.width, into: &keyRows)
    output.grow(to: group * length * heads.valueWidth, filler: 0)
    queryRows.grow(to: Self.queryCount * heads.width, filler: 0)
    scores.grow(to: Self.queryCount * length, filler: 0)
    let slopes = inputs.bias == nil ? [] : LinearBias.slopes(heads: heads.count)
    for member in 0..<group {
      let head = keyHead * group + member
      for first in stride(from: 0, to: length, by: Self.queryCount) {
        let rows = first..<min(first + Self.queryCount, length)
        let seen = max(0, first + 1 - (inputs.scoring.window ?? length))..<rows.upperBound
        Self.copyHead(
          inputs.queries, window.lowerBound + rows.lowerBound..<window.lowerBound + rows.upperBound,
          head, width: heads.width, into: &queryRows)
        multiply(rows: rows.count, keys: seen, width: heads.width)
        for row in rows {
          Self.weigh(
            &scores, at: (row - first) * seen.count, keys: seen, query: row, inputs.scoring,
            bias: inputs.bias.map { ($0.form, slopes[head]) },
            sink: inputs.sinks.isEmpty ? nil : inputs.sinks[head])
          Self.mix(
            scores, at: (row - first) * seen.count, inputs.values.values,
            first: (window.lowerBound + seen.lowerBound) * inputs.values.features
              + keyHead * heads.valueWidth,
            stride: inputs.values.features, count: row + 1 - seen.lowerBound,
            width: heads.valueWidth, into: &output,
            to: (member * length + row) * heads.valueWidth)
        }
      }
    }
  }

  private func multiply(rows: Int, keys: Range<Int>, width: Int) {
    let (queries, all) = (queryRows, keyRows)
    Self.product(
      queries, rows, all.span.extracting(keys.lowerBound * width..<keys.upperBound * width),
      keys.count, width, into: &scores)
  }

  private static func product(
    _ queries: [Float], _ rows: Int, _ keys: Span<Float>, _ count: Int, _ width: Int,
    into scores: inout [Float]
  ) {
    var output = scores.mutableSpan
    Numbers.product(
      queries.span, tokens: rows, weights: keys, rows: count, k: width, into: &output)
  }

  private static func copyHead(
    _ activations: Activations, _ tokens: Range<Int>, _ head: Int, width: Int,
    into rows: inout [Float]
  ) {
    let values = activations.values
    for (place, token) in tokens.enumerated() {
      let from = token * activations.features + head * width
      for index in 0..<width { rows[place * width + index] = values[from + index] }
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
      if let cap = scoring.cap { score = cap * tanh(score / cap) }
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
  }

  /// Adds up the values of `count` keys, weighed.
  private static func mix(
    _ probabilities: [Float], at start: Int, _ values: [Float], first: Int, stride: Int,
    count: Int, width: Int, into output: inout [Float], to target: Int
  ) {
    var mixed = output.mutableSpan
    Numbers.mix(
      probabilities.span, from: start, rows: values.span, from: first, stride: stride,
      count: count, width: width, into: &mixed, at: target)
  }
}
