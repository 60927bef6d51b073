/// The sum of rows of numbers, each times its weight: `output[f] = Σ weights[r] rows[r, f]`, for each feature in
/// the order of the rows.
///
/// - Parameters:
///   - weights: those of the rows begin at `firstWeight`.
///   - rows: that of row r begins at `firstRow + r * stride`.
///   - count: of rows.
///   - width: features.
///   - output: receives them from `target` on.
package func mixRows(
  weights: Span<Float>, from firstWeight: Int, rows: Span<Float>, from firstRow: Int, stride: Int,
  count: Int, width: Int, into output: inout MutableSpan<Float>, at target: Int
) {
  precondition(firstWeight >= 0 && firstRow >= 0 && target >= 0 && count >= 0 && width >= 0)
  precondition(stride >= width && weights.count - count >= firstWeight)
  precondition(output.count - width >= target)
  precondition(count == 0 || (rows.count - width - firstRow) / max(1, stride) >= count - 1)
  precondition(count == 0 || rows.count - width >= firstRow)
  var feature = 0
  while feature &+ 32 <= width {
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for row in 0..<count {
      let weight = unsafe weights[unchecked: firstWeight &+ row]
      let start = firstRow &+ row &* stride &+ feature
      a += rows.eight(start) * weight
      b += rows.eight(start &+ 8) * weight
      c += rows.eight(start &+ 16) * weight
      d += rows.eight(start &+ 24) * weight
    }
    output.setEight(a, target &+ feature)
    output.setEight(b, target &+ feature &+ 8)
    output.setEight(c, target &+ feature &+ 16)
    output.setEight(d, target &+ feature &+ 24)
    feature &+= 32
  }
  while feature &+ 8 <= width {
    var lanes = Lanes.zero
    for row in 0..<count {
      lanes +=
        unsafe rows.eight(firstRow &+ row &* stride &+ feature)
        * weights[unchecked: firstWeight &+ row]
    }
    output.setEight(lanes, target &+ feature)
    feature &+= 8
  }
  while feature < width {
    var sum: Float = 0
    for row in 0..<count {
      sum +=
        unsafe rows[unchecked: firstRow &+ row &* stride &+ feature]
        * weights[unchecked: firstWeight &+ row]
    }
    output[target &+ feature] = sum
    feature &+= 1
  }
}
