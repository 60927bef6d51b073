import Formats

/// Which weights of a tensor are measured.
enum WeightSample {
  /// Blocks into which a sample is spread.
  private static let blockCount = 32

  /// All tiles of a small tensor; of a large one, blocks of whole groups, or rows, at equal distances
  /// that hold about `limit` weights together.
  static func blocks(of source: WeightSource, limit: Int?) -> [Range<Int>] {
    let shape = source.shape
    let total = shape.count
    guard let limit, total > limit else { return source.tiles() }
    let unit = source.readsWholeRows ? shape.inputs : largestGroup(shape.inputs)
    let perBlock = max(1, limit / blockCount / unit)
    let count = min(blockCount, total / (perBlock * unit))
    return (0..<count).map { index in
      // Evenly spaced over the units that a block can begin at.
      let first = (total / unit - perBlock) * index / max(1, count - 1)
      var end = first + perBlock
      // Whole rows are read from one matrix at a time.
      if source.readsWholeRows { end = min(end, (first / shape.outputs + 1) * shape.outputs) }
      return first * unit..<end * unit
    }
  }

  private static func largestGroup(_ inputs: Int) -> Int {
    AffineLayout.allowedGroupSizes.filter { inputs % $0 == 0 }.max() ?? 1
  }
}
