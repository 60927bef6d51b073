/// Inputs that are summed before they are added to the output, and tokens that stay in the cache beside a
/// panel of weights: a block of inputs takes about 120 KB, a panel 16 KB.
private let inputsAtOnce = 256
private let tokensAtOnce = 120

/// Numbers that `product` needs room for.
package func productRoom(rows: Int, k: Int) -> Int {
  let (panels, rest) = rows.quotientAndRemainder(dividingBy: ProductBlock.rows)
  return (panels + (rest > 0 ? 1 : 0)) * ProductBlock.rows * min(k, inputsAtOnce)
}

/// Products of every token with every row of weights: `output[t, r] = Σ inputs[t, i] weights[r, i]`.
///
/// Each number is summed in one order, whatever the number of tokens and rows: over 256 inputs at a time from
/// the first to the last, and these sums one after the other.
///
/// The way through the caches is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix
/// Multiplication" (ACM TOMS 34, 2008).
///
/// - Parameters:
///   - inputs: `[tokens, k]`, row-major; more may follow, here and in the others.
///   - weights: `[rows, k]`, rows beginning every `stride` numbers.
///   - panels: room for as many numbers as `productRoom` says.
///   - output: receives `[tokens, rows]`.
package func product(
  inputs: Span<Float>, tokens: Int, weights: Span<Float>, rows: Int, k: Int, stride: Int,
  panels: inout MutableSpan<Float>, into output: inout MutableSpan<Float>
) {
  precondition(tokens >= 0 && rows >= 0 && k > 0 && stride >= k)
  guard tokens > 0, rows > 0 else { return }
  precondition(inputs.count / k >= tokens && weights.count >= k)
  precondition((weights.count - k) / stride >= rows - 1)
  precondition(output.count / rows >= tokens && panels.count >= productRoom(rows: rows, k: k))
  let panelCount = (rows &- 1) / ProductBlock.rows &+ 1
  for firstInput in Swift.stride(from: 0, to: k, by: inputsAtOnce) {
    let inputRange = firstInput..<min(firstInput + inputsAtOnce, k)
    pack(weights, rows: rows, inputs: inputRange, stride: stride, into: &panels)
    let panelSize = ProductBlock.rows * inputRange.count
    for firstToken in Swift.stride(from: 0, to: tokens, by: tokensAtOnce) {
      let end = min(firstToken + tokensAtOnce, tokens)
      for panel in 0..<panelCount {
        for token in Swift.stride(from: firstToken, to: end, by: ProductBlock.tokens) {
          // The last token stands in for those behind it.
          var places = SIMD8<Int>.zero
          for index in 0..<ProductBlock.tokens {
            places[index] = min(token &+ index, end &- 1) &* k &+ firstInput
          }
          let sums = ProductBlock(
            inputs, tokens: places, panels.span, panel: panel &* panelSize, depth: inputRange.count)
          sums.forEachToken { index, low, high in
            guard token &+ index < end else { return }
            let row = panel &* ProductBlock.rows
            write(
              low, high, count: min(ProductBlock.rows, rows &- row),
              to: (token &+ index) &* rows &+ row, of: &output, isFirst: firstInput == 0)
          }
        }
      }
    }
  }
}

/// Puts rows of weights side by side, as many as a panel has, input after input; rows that are not there are 0.
private func pack(
  _ weights: Span<Float>, rows: Int, inputs: Range<Int>, stride: Int,
  into panels: inout MutableSpan<Float>
) {
  var place = 0
  for first in Swift.stride(from: 0, to: rows, by: ProductBlock.rows) {
    let count = min(ProductBlock.rows, rows &- first)
    for input in inputs {
      var weight = first &* stride &+ input
      for lane in 0..<count {
        unsafe panels[unchecked: place &+ lane] = weights[unchecked: weight]
        weight &+= stride
      }
      for lane in count..<ProductBlock.rows { unsafe panels[unchecked: place &+ lane] = 0 }
      place &+= ProductBlock.rows
    }
  }
}

/// Puts the first `count` of a token's sums to their places, or adds them to what is there.
@inline(__always)
private func write(
  _ low: Lanes, _ high: Lanes, count: Int, to place: Int, of output: inout MutableSpan<Float>,
  isFirst: Bool
) {
  if count == ProductBlock.rows {
    output.setEight(isFirst ? low : output.span.eight(place) + low, place)
    output.setEight(isFirst ? high : output.span.eight(place &+ 8) + high, place &+ 8)
  } else {
    for index in 0..<count {
      let sum = index < 8 ? low[index] : high[index &- 8]
      let before = isFirst ? 0 : unsafe output[unchecked: place &+ index]
      unsafe output[unchecked: place &+ index] = before + sum
    }
  }
}
