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

  /// The weights of a tile that are measured where every tile is read, counted from its first: all of
  /// them, or the same share of every piece of the tensor, so that together they are about `limit`.
  ///
  /// - Parameters:
  ///   - tile: whole groups of a tensor of `total` weights.
  ///   - limit: nil for no limit.
  static func blocks(
    of tile: Range<Int>, total: Int, limit: Int?, groupSize: Int
  ) -> [Range<Int>] {
    guard let limit, total > limit else { return [0..<tile.count] }
    // So many blocks of the whole tensor, or more, tell how much they differ.
    let count = max(1, 2 * blockCount * Tiling.weightCount / total)
    let piece = max(groupSize, Tiling.weightCount / count / groupSize * groupSize)
    return Tiling.ranges(tile.count, step: piece).map { range in
      let groups = range.count / groupSize
      let taken = min(groups, max(1, Int(Double(groups) * Double(limit) / Double(total))))
      // Multiples of the golden ratio, without their whole part, are spread evenly however many they are.
      let index = UInt64((tile.lowerBound + range.lowerBound) / groupSize)
      let place = index &* 0x9E37_79B9_7F4A_7C15
      let first = Int(UInt64(groups - taken + 1).multipliedFullWidth(by: place).high)
      let start = range.lowerBound + first * groupSize
      return start..<start + taken * groupSize
    }
  }

  private static func largestGroup(_ inputs: Int) -> Int {
    AffineLayout.allowedGroupSizes.filter { inputs % $0 == 0 }.max() ?? 1
  }
}
