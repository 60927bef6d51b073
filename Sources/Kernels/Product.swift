/// Products of every token with every row of weights: `output[t, r] = Σ inputs[t, i] weights[r, i]`.
///
/// Each number is summed in one order, whatever the number of tokens and rows: eight lanes over the inputs,
/// the lanes added in pairs, then what is left of the inputs one by one.
///
/// - Parameters:
///   - inputs: `[tokens, k]`, row-major; more may follow, here and in the others.
///   - weights: `[rows, k]`.
///   - output: receives `[tokens, rows]`.
package func product(
  inputs: Span<Float>, tokens: Int, weights: Span<Float>, rows: Int, k: Int,
  into output: inout MutableSpan<Float>
) {
  precondition(tokens >= 0 && rows >= 0 && k > 0)
  precondition(inputs.count / k >= tokens && weights.count / k >= rows)
  precondition(rows == 0 || output.count / rows >= tokens)
  // As many tokens as stay in the cache while all rows pass.
  let tokensAtOnce = max(4, 65_536 / k & ~3)
  var first = 0
  while first < tokens {
    let end = min(first &+ tokensAtOnce, tokens)
    for row in 0..<rows {
      var token = first
      while token &+ 4 <= end {
        let sums = fourSums(inputs, token &* k, weights, row &* k, k)
        for index in 0..<4 { output[(token &+ index) &* rows &+ row] = sums[index] }
        token &+= 4
      }
      while token < end {
        output[token &* rows &+ row] = oneSum(inputs, token &* k, weights, row &* k, k)
        token &+= 1
      }
    }
    first = end
  }
}

@inline(__always)
private func oneSum(
  _ inputs: Span<Float>, _ input: Int, _ weights: Span<Float>, _ weight: Int, _ k: Int
) -> Float {
  var lanes = Lanes.zero
  var index = 0
  while index &+ 8 <= k {
    lanes += inputs.eight(input &+ index) * weights.eight(weight &+ index)
    index &+= 8
  }
  return total(lanes, inputs, input, weights, weight, from: index, k)
}

/// Those of four tokens: the weights are loaded once.
@inline(__always)
private func fourSums(
  _ inputs: Span<Float>, _ input: Int, _ weights: Span<Float>, _ weight: Int, _ k: Int
) -> SIMD4<Float> {
  var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
  let (second, third, fourth) = (input &+ k, input &+ 2 &* k, input &+ 3 &* k)
  var index = 0
  while index &+ 8 <= k {
    let eight = weights.eight(weight &+ index)
    a += inputs.eight(input &+ index) * eight
    b += inputs.eight(second &+ index) * eight
    c += inputs.eight(third &+ index) * eight
    d += inputs.eight(fourth &+ index) * eight
    index &+= 8
  }
  return SIMD4(
    total(a, inputs, input, weights, weight, from: index, k),
    total(b, inputs, second, weights, weight, from: index, k),
    total(c, inputs, third, weights, weight, from: index, k),
    total(d, inputs, fourth, weights, weight, from: index, k))
}

@inline(__always)
private func total(
  _ lanes: Lanes, _ inputs: Span<Float>, _ input: Int, _ weights: Span<Float>, _ weight: Int,
  from first: Int, _ k: Int
) -> Float {
  let four = lanes.lowHalf + lanes.highHalf
  let two = four.lowHalf + four.highHalf
  var sum = two[0] + two[1]
  for index in first..<k {
    sum += unsafe inputs[unchecked: input &+ index] * weights[unchecked: weight &+ index]
  }
  return sum
}
