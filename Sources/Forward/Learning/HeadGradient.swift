import Foundation
import Model

/// The way back through attention of the query heads that share one head of keys and values, over one window.
final class HeadGradient {
  private var keys = Numbers.Panels()
  private var values = Numbers.Panels()
  private var panels = Numbers.Panels()
  /// `[query heads of the group, tokens, width]`.
  private var queryGradient: [Float] = []
  /// `[tokens, width]`, sums over the group.
  private var keyGradient: [Float] = []
  /// `[tokens, value width]`, likewise.
  private var valueGradient: [Float] = []

  /// - Parameter gradient: of the heads' output, `[tokens, heads * value width]`.
  func goBack(_ inputs: HeadAttention.Inputs, _ gradient: [Float], keyHead: Int) {
    let heads = inputs.heads
    let (tokens, width, valueWidth) = (inputs.keys.tokens, heads.width, heads.valueWidth)
    let group = heads.count / heads.keyValueCount
    let keyStart = keyHead * width
    keys.pack(
      inputs.keys.values, from: keyStart, rows: tokens, k: width,
      rowStride: inputs.keys.features, inputStride: 1)
    values.pack(
      inputs.values.values, from: keyHead * valueWidth, rows: tokens, k: valueWidth,
      rowStride: inputs.values.features, inputStride: 1)
    queryGradient = [Float](repeating: 0, count: group * tokens * width)
    keyGradient = [Float](repeating: 0, count: tokens * width)
    valueGradient = [Float](repeating: 0, count: tokens * valueWidth)
    var products = [Float](repeating: 0, count: tokens * tokens)
    var given = products
    for member in 0..<group {
      let head = keyHead * group + member
      let (queryStart, outputStart) = (head * width, head * valueWidth)
      let outputs = heads.count * valueWidth
      keys.product(
        inputs.queries.values, from: queryStart, tokens: tokens, stride: inputs.queries.features,
        rows: 0..<tokens, inputs: 0..<width, fused: false, into: &products)
      var probabilities = products
      HeadAttention.weigh(
        &probabilities, queries: 0..<tokens, keys: 0..<tokens, inputs.scoring, bias: nil, sink: nil)
      values.product(
        gradient, from: outputStart, tokens: tokens, stride: outputs, rows: 0..<tokens,
        inputs: 0..<valueWidth, fused: false, into: &given)
      // Values: Pᵀ times the gradient of the output.
      multiplyAdd(
        transposed(probabilities, rows: tokens, columns: tokens), tokens, gradient,
        from: outputStart, features: outputs, width: valueWidth, into: &valueGradient)
      Self.scoreGradients(&given, probabilities, products, tokens, inputs.scoring)
      multiplyAdd(
        given, tokens, inputs.keys.values, from: keyStart, features: inputs.keys.features,
        width: width, into: &queryGradient, at: member * tokens * width)
      multiplyAdd(
        transposed(given, rows: tokens, columns: tokens), tokens, inputs.queries.values,
        from: queryStart, features: inputs.queries.features, width: width, into: &keyGradient)
    }
  }

  /// Makes gradients of products of queries and keys of those of probabilities.
  private static func scoreGradients(
    _ given: inout [Float], _ probabilities: [Float], _ products: [Float], _ tokens: Int,
    _ scoring: AttentionScoring
  ) {
    for row in 0..<tokens {
      let start = row * tokens
      var sum = 0.0
      for index in start..<start + tokens {
        sum += Double(probabilities[index]) * Double(given[index])
      }
      for index in start..<start + tokens {
        var slope = probabilities[index] * (given[index] - Float(sum)) * scoring.scale
        if let cap = scoring.cap, slope != 0 {
          let bent = tanh(products[index] * scoring.scale / cap)
          slope *= 1 - bent * bent
        }
        given[index] = slope
      }
    }
  }

  /// Adds A times columns of B.
  ///
  /// - Parameters:
  ///   - a: `[tokens, tokens]`.
  ///   - b: `[tokens, features]`, of which `width` columns count.
  private func multiplyAdd(
    _ a: [Float], _ tokens: Int, _ b: [Float], from first: Int, features: Int, width: Int,
    into output: inout [Float], at place: Int = 0
  ) {
    panels.pack(
      b, from: first, rows: width, k: tokens, rowStride: 1, inputStride: features)
    var results = [Float](repeating: 0, count: tokens * width)
    panels.product(
      a, from: 0, tokens: tokens, stride: tokens, rows: 0..<width, inputs: 0..<tokens,
      fused: false, into: &results)
    for index in results.indices { output[place + index] += results[index] }
  }

  /// Adds what was found to the gradients of queries, keys and values.
  func add(to parts: inout [[Float]], _ heads: AttentionHeads, keyHead: Int, tokens: Int) {
    let group = heads.count / heads.keyValueCount
    for member in 0..<group {
      Self.add(
        queryGradient, from: member * tokens * heads.width, width: heads.width,
        column: (keyHead * group + member) * heads.width, tokens, to: &parts[0])
    }
    Self.add(
      keyGradient, from: 0, width: heads.width, column: keyHead * heads.width, tokens,
      to: &parts[1])
    Self.add(
      valueGradient, from: 0, width: heads.valueWidth, column: keyHead * heads.valueWidth, tokens,
      to: &parts[2])
  }

  private static func add(
    _ rows: [Float], from first: Int, width: Int, column: Int, _ tokens: Int,
    to output: inout [Float]
  ) {
    let features = output.count / tokens
    for token in 0..<tokens {
      let (from, to) = (first + token * width, token * features + column)
      for index in 0..<width { output[to + index] += rows[from + index] }
    }
  }
}
