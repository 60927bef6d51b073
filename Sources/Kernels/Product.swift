/// Inputs that are summed before they are added to the output, and tokens that stay in the cache beside a
/// panel of weights: a block of inputs takes about 120 KB, a panel 16 KB.
private let inputsAtOnce = 256
private let tokensAtOnce = 120

/// Numbers that `product` needs room for.
package func productRoom(rows: Int, k: Int) -> Int { paddedRows(rows) * min(k, inputsAtOnce) }

/// Numbers that `packPanels` writes.
package func panelRoom(rows: Int, k: Int) -> Int { paddedRows(rows) * k }

/// With those that fill the last panel.
private func paddedRows(_ rows: Int) -> Int {
  (rows + ProductBlock.rows - 1) / ProductBlock.rows * ProductBlock.rows
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
  for first in Swift.stride(from: 0, to: k, by: inputsAtOnce) {
    let depth = min(inputsAtOnce, k - first)
    pack(weights, from: first, rows: rows, depth: depth, apart: (stride, 1), into: &panels, at: 0)
    multiply(
      inputs, from: first, tokens: tokens, apart: k, panels.span, from: 0,
      panelSize: ProductBlock.rows &* depth, rows: 0..<rows, depth: depth, fused: true,
      into: &output, at: 0, isFirst: first == 0)
  }
}

/// Lays rows of weights out as `panelProduct` reads them, for several products with the same rows.
///
/// - Parameters:
///   - weights: that of row `r` for input `i` is `first + r rowStride + i inputStride`.
///   - panels: receives as many numbers as `panelRoom` says.
package func packPanels(
  _ weights: Span<Float>, from first: Int, rows: Int, k: Int, rowStride: Int, inputStride: Int,
  into panels: inout MutableSpan<Float>
) {
  precondition(first >= 0 && rows > 0 && k > 0 && rowStride > 0 && inputStride > 0)
  precondition(first + (rows - 1) * rowStride + (k - 1) * inputStride < weights.count)
  precondition(panels.count >= panelRoom(rows: rows, k: k))
  for input in stride(from: 0, to: k, by: inputsAtOnce) {
    pack(
      weights, from: first &+ input &* inputStride, rows: rows, depth: min(inputsAtOnce, k - input),
      apart: (rowStride, inputStride), into: &panels, at: input &* paddedRows(rows))
  }
}

/// The products of tokens with some of the rows of panels, over some of their inputs:
/// `output[t, r] = Σ inputs[t, i] weights[r, i]`, both counted from the first that is used.
///
/// The inputs of a sum are cut where those of all inputs are, at multiples of 256: zeros among them may be left
/// out at either end without a change of any bit.
///
/// - Parameters:
///   - inputs: `[tokens, used inputs]`, from `first` on, tokens beginning every `stride` numbers.
///   - panels: as `packPanels` lays out `rows` rows of `k` inputs.
///   - usedRows: from the beginning of a panel: a multiple of 16.
///   - fused: whether a level that can adds products before it rounds them. Otherwise all levels give the same.
///   - output: receives `[tokens, used rows]`, from `place` on.
package func panelProduct(
  inputs: Span<Float>, from first: Int, tokens: Int, stride: Int, panels: Span<Float>, rows: Int,
  k: Int, usedRows: Range<Int>, usedInputs: Range<Int>, fused: Bool,
  into output: inout MutableSpan<Float>, at place: Int
) {
  guard tokens > 0, !usedRows.isEmpty, !usedInputs.isEmpty else { return }
  precondition(usedRows.lowerBound >= 0 && usedRows.upperBound <= rows)
  precondition(usedRows.lowerBound % ProductBlock.rows == 0)
  precondition(usedInputs.lowerBound >= 0 && usedInputs.upperBound <= k)
  precondition(panels.count >= panelRoom(rows: rows, k: k))
  precondition(first >= 0 && stride >= usedInputs.count)
  precondition(first + (tokens - 1) * stride + usedInputs.count <= inputs.count)
  precondition(place >= 0 && (output.count - place) / usedRows.count >= tokens)
  var input = usedInputs.lowerBound
  while input < usedInputs.upperBound {
    let block = input / inputsAtOnce * inputsAtOnce
    let end = min(block + inputsAtOnce, usedInputs.upperBound)
    multiply(
      inputs, from: first &+ input &- usedInputs.lowerBound, tokens: tokens, apart: stride, panels,
      from: block &* paddedRows(rows) &+ (input &- block) &* ProductBlock.rows,
      panelSize: ProductBlock.rows &* min(inputsAtOnce, k - block), rows: usedRows,
      depth: end &- input, fused: fused, into: &output, at: place,
      isFirst: input == usedInputs.lowerBound)
    input = end
  }
}

/// Products over at most 256 inputs, written to `[tokens, rows]` or added to what is there.
///
/// - Parameters:
///   - inputs: of a token every `apart` numbers, from `first` on.
///   - panels: panel 0 begins at `start`, each has `panelSize` numbers.
private func multiply(
  _ inputs: Span<Float>, from first: Int, tokens: Int, apart: Int, _ panels: Span<Float>,
  from start: Int, panelSize: Int, rows: Range<Int>, depth: Int, fused: Bool,
  into output: inout MutableSpan<Float>, at place: Int, isFirst: Bool
) {
  let firstPanel = rows.lowerBound / ProductBlock.rows
  let endPanel = (rows.upperBound &- 1) / ProductBlock.rows &+ 1
  for firstToken in Swift.stride(from: 0, to: tokens, by: tokensAtOnce) {
    let end = min(firstToken + tokensAtOnce, tokens)
    for panel in firstPanel..<endPanel {
      let row = panel &* ProductBlock.rows
      let count = min(ProductBlock.rows, rows.upperBound &- row)
      for token in Swift.stride(from: firstToken, to: end, by: ProductBlock.tokens) {
        // The last token stands in for those behind it.
        var places = SIMD8<Int>.zero
        for index in 0..<ProductBlock.tokens {
          places[index] = first &+ min(token &+ index, end &- 1) &* apart
        }
        let begin = start &+ panel &* panelSize
        let sums =
          fused
          ? ProductBlock(
            inputs, tokens: places, panels, panel: begin, depth: depth, fused: true)
          : ProductBlock(
            inputs, tokens: places, panels, panel: begin, depth: depth, fused: false)
        sums.forEachToken { index, low, high in
          guard token &+ index < end else { return }
          write(
            low, high, count: count,
            to: place &+ (token &+ index) &* rows.count &+ row &- rows.lowerBound, of: &output,
            isFirst: isFirst)
        }
      }
    }
  }
}

/// Puts rows of weights side by side, as many as a panel has, input after input; rows that are not there are 0.
///
/// - Parameter apart: how far rows, and inputs of a row, are from each other.
private func pack(
  _ weights: Span<Float>, from first: Int, rows: Int, depth: Int, apart: (rows: Int, inputs: Int),
  into panels: inout MutableSpan<Float>, at start: Int
) {
  var place = start
  for row in Swift.stride(from: 0, to: rows, by: ProductBlock.rows) {
    let count = min(ProductBlock.rows, rows &- row)
    let begin = first &+ row &* apart.rows
    if count == ProductBlock.rows, apart.rows == 1 {
      for input in 0..<depth {
        let weight = begin &+ input &* apart.inputs
        panels.setEight(weights.eight(weight), place)
        panels.setEight(weights.eight(weight &+ 8), place &+ 8)
        place &+= ProductBlock.rows
      }
      continue
    }
    for input in 0..<depth {
      var weight = begin &+ input &* apart.inputs
      for lane in 0..<count {
        unsafe panels[unchecked: place &+ lane] = weights[unchecked: weight]
        weight &+= apart.rows
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
