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
    a = try update.adapter.values(of: update.pair.a)
    b = try update.adapter.values(of: update.pair.b)
    rank = update.pair.rank
    factor = update.factor
    columns = update.columns
    group = update.group
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

/// The pairs of the tensor that a thread works on. They are read again when it goes on to another,
/// so that memory holds no more than the pairs of one tensor for each slot.
struct PairCache {
  private var tensor: String?
  private var pairs: [LoadedPair] = []

  mutating func pairs(of tensor: String, _ updates: [LowRankUpdate]) throws -> [LoadedPair] {
    if self.tensor != tensor {
      (self.tensor, pairs) = (nil, [])
      pairs = try updates.map { try LoadedPair($0) }
      self.tensor = tensor
    }
    return pairs
  }
}
