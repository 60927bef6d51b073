import Formats
import Stats

/// A run of a tensor that is measured: whole rows where the tensor is stored input-major.
struct SampleBlock {
  let content: TileJob.Content
  let weightCount: Int

  /// Blocks into which a sample is spread.
  private static let blockCount = 32

  /// All tiles of a small tensor; of a large one, blocks at equal distances that hold about `limit`
  /// weights together.
  static func blocks(of tensor: TensorPlan, limit: Int?) -> [SampleBlock] {
    let total = tensor.tensor.info.elementCount
    guard let limit, total > limit else {
      return Tiling.contents(tensor).map { block($0, tensor) }
    }
    let inputs = tensor.inputCount
    let unit = tensor.identity.isTransposed ? inputs : largestGroup(inputs)
    let perBlock = max(1, limit / blockCount / unit)
    let count = min(blockCount, total / (perBlock * unit))
    return (0..<count).map { index in
      // Evenly spaced over the units that a block can begin at.
      let first = (total / unit - perBlock) * index / max(1, count - 1)
      let units = withinMatrix(first..<first + perBlock, tensor, unit: unit)
      let perUnit = unit / groupSize(tensor)
      let groups = units.lowerBound * perUnit..<units.upperBound * perUnit
      return block(
        tensor.identity.isTransposed ? .transposedGroups(groups) : .groups(groups), tensor)
    }
  }

  /// Rows of a stack that is stored input-major are read from one matrix at a time.
  private static func withinMatrix(
    _ units: Range<Int>, _ tensor: TensorPlan, unit: Int
  ) -> Range<Int> {
    guard tensor.identity.isTransposed else { return units }
    let rows = Int(clamping: tensor.outputMajorShape.dropLast().last ?? 1)
    let end = min(units.upperBound, (units.lowerBound / rows + 1) * rows)
    return units.lowerBound..<end
  }

  private static func groupSize(_ tensor: TensorPlan) -> Int {
    guard case .quantize(let layout, _) = tensor.action else { return 1 }
    return layout.groupSize
  }

  private static func largestGroup(_ inputs: Int) -> Int {
    AffineLayout.allowedGroupSizes.filter { inputs % $0 == 0 }.max() ?? 1
  }

  private static func block(_ content: TileJob.Content, _ tensor: TensorPlan) -> SampleBlock {
    let groups: Range<Int>
    switch content {
    case .groups(let range), .transposedGroups(let range): groups = range
    case .bytes, .elements: preconditionFailure("only quantized tensors are sampled")
    }
    return SampleBlock(content: content, weightCount: groups.count * groupSize(tensor))
  }

  /// Index of the block's first weight, in the order of the layout.
  func firstWeight(of tensor: TensorPlan) -> Int {
    switch content {
    case .groups(let range), .transposedGroups(let range):
      range.lowerBound * Self.groupSize(tensor)
    case .bytes, .elements: 0
    }
  }

  /// Reads the block's weights into `slot.weights`.
  func read(of tensor: TensorPlan, _ reader: TileReader, into slot: TileSlot) throws {
    let first = firstWeight(of: tensor)
    if case .transposedGroups = content {
      let rows = first / tensor.inputCount..<(first + weightCount) / tensor.inputCount
      try reader.readTransposed(rows: rows, of: tensor, into: slot)
    } else {
      try reader.readRun(first..<first + weightCount, of: tensor, into: slot)
    }
  }
}

/// The buffers of one block.
final class CandidateSlot {
  let tile = TileSlot()
  /// What each layout loses.
  var errors: [QuantizationError] = []
  private var decoded: [Float] = []

  /// Quantizes the first `count` weights of the tile, and decodes them again where their errors have
  /// different weights.
  ///
  /// - Parameter importance: what errors count; groups in none of the runs have inputs that count alike.
  /// - Returns: sums in which every square counts as much as its input.
  func quantize(
    _ layout: AffineLayout, _ scaleType: ScaleType, _ method: QuantizationMethod, count: Int,
    importance: [ImportanceRun]
  ) -> QuantizationError {
    let groups = count / layout.groupSize
    tile.codes.grow(to: count, filler: 0)
    tile.scales.grow(to: groups, filler: 0)
    tile.biases.grow(to: groups, filler: 0)
    let error = tile.withQuantizer(layout, scaleType, method) { quantizer in
      quantizer.quantize(
        tile.weights, groupCount: groups, importance: importance, codes: &tile.codes,
        scales: &tile.scales, biases: &tile.biases)
    }
    guard !importance.isEmpty else { return error }
    decoded.grow(to: count, filler: 0)
    layout.dequantize(
      codes: tile.codes, scales: tile.scales, biases: tile.biases, groupCount: groups,
      in: scaleType, into: &decoded)
    var weighted = QuantizationError(largestError: error.largestError)
    var cursor = ImportanceCursor(importance, groupSize: layout.groupSize)
    for group in 0..<groups {
      let counts = cursor.importance(ofGroup: group)
      for offset in 0..<layout.groupSize {
        let index = group * layout.groupSize + offset
        let count = counts.map { Double($0.values[$0.start + offset]) } ?? 1
        let weight = Double(tile.weights[index])
        let difference = weight - Double(decoded[index])
        weighted.squaredNorm += count * weight * weight
        weighted.squaredError += count * difference * difference
      }
    }
    return weighted
  }
}
