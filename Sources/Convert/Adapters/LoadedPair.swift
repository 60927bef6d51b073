import Formats

/// The two factors of a low-rank update in memory, with the products that merges need.
struct LoadedPair {
  /// `[rank, columns]`.
  private let a: [Float]
  /// `[outputs, rank]`.
  private let b: [Float]
  private let rank: Int
  private let factor: Double
  private let columns: Int
  /// Inputs per column.
  private let group: Int

  /// - Throws: `AdapterError`, `FileError`.
  init(_ update: LowRankUpdate) throws {
    let first = try update.adapter.values(of: update.pair.a)
    let second = try update.adapter.values(of: update.pair.b)
    rank = update.pair.rank
    factor = update.factor
    columns = update.columns
    group = update.group
    // An embedding's table is (B·A)ᵀ = Aᵀ·Bᵀ: the factors change places.
    let isTurned = update.pair.isEmbedding
    a = isTurned ? second.transposed(columns: rank) : first
    b = isTurned ? first.transposed(columns: first.count / rank) : second
  }

  /// Adds the update of output `row` to `sums`, one sum for each run of `groupSize` inputs, which
  /// divides the group that A pools. All in `Double`.
  ///
  /// - Parameter scratch: any buffer; it is grown as needed.
  func add(row: Int, groupSize: Int, to sums: inout [Double], scratch: inout [Double]) {
    let repeats = group / groupSize
    precondition(group % groupSize == 0 && sums.count >= columns * repeats)
    scratch.grow(to: columns, filler: 0)
    for column in 0..<columns { scratch[column] = 0 }
    let source = a.span
    var products = scratch.mutableSpan
    for component in 0..<rank {
      let weight = Double(b[row * rank + component])
      let start = component * columns
      for column in 0..<columns { products[column] += weight * Double(source[start + column]) }
    }
    for index in 0..<columns * repeats { sums[index] += factor * scratch[index / repeats] }
  }
}

extension LoadedPair {
  /// Adds the update to `count` weights of a matrix in row-major order, of which the first is
  /// element `start`: W + factor · B·A, in F32 as PEFT computes it.
  func addDense(
    to weights: inout [Float], count: Int, start: Int, scratch: inout [Float]
  ) {
    let inputs = columns * group
    scratch.grow(to: columns, filler: 0)
    let scale = Float(factor)
    var done = 0
    while done < count {
      let (row, first) = (start + done).quotientAndRemainder(dividingBy: inputs)
      let run = min(count - done, inputs - first)
      let span = first / group..<(first + run - 1) / group + 1
      multiply(row: row, span, into: &scratch)
      let products = scratch.span
      var target = weights.mutableSpan
      if group == 1 {
        for index in 0..<run { target[done + index] += scale * products[first + index] }
      } else {
        for index in 0..<run { target[done + index] += scale * products[(first + index) / group] }
      }
      done += run
    }
  }
}

extension LoadedPair {
  /// Row `row` of B·A in F32, columns `span`, into the same columns of `products`. Components are
  /// added one after the other; four at a time only spare loads and stores.
  private func multiply(row: Int, _ span: Range<Int>, into products: inout [Float]) {
    var sums = products.mutableSpan
    for column in span { sums[column] = 0 }
    let factors = a.span
    func part(_ component: Int) -> Range<Int> {
      component * columns..<(component + 1) * columns
    }
    var component = 0
    while component + 4 <= rank {
      let a0 = factors.extracting(part(component))
      let a1 = factors.extracting(part(component + 1))
      let a2 = factors.extracting(part(component + 2))
      let a3 = factors.extracting(part(component + 3))
      let first = row * rank + component
      let (b0, b1, b2, b3) = (b[first], b[first + 1], b[first + 2], b[first + 3])
      for column in span {
        var sum = sums[column] + b0 * a0[column]
        sum += b1 * a1[column]
        sum += b2 * a2[column]
        sum += b3 * a3[column]
        sums[column] = sum
      }
      component += 4
    }
    while component < rank {
      let rest = factors.extracting(part(component))
      let weight = b[row * rank + component]
      for column in span { sums[column] += weight * rest[column] }
      component += 1
    }
  }
}
