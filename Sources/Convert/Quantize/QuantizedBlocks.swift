import Formats
import Stats

/// Blocks on their way from weights to bytes, with what one thread needs for them.
final class QuantizedBlocks {
  /// Weights whose errors are summed at a time.
  private static let summedCount = 32

  private var scratch = BlockQuantizer.Scratch()
  private var groups = PackedGroups()
  private var decoded: [Float] = []
  private var figures: [Double] = []

  /// Quantizes weights from the start of a tile, read as numbers: whole rows of one matrix.
  ///
  /// - Parameters:
  ///   - importance: what squared errors count by input; empty where all count alike.
  ///   - bytes: receives the blocks from its start.
  /// - Returns: what decoding the blocks loses.
  func quantize(
    _ tile: WeightTile, blockCount: Int, _ quantizer: BlockQuantizer, importance: [Float],
    into bytes: inout [UInt8]
  ) -> QuantizationError {
    let layout = quantizer.layout
    let weights = tile.weights
    quantizer.quantize(
      weights, blockCount: blockCount, importance: importance, scratch: &scratch, into: &bytes)
    layout.decode(bytes, groupCount: blockCount, part: 0, into: &groups)
    let count = blockCount * layout.groupSize
    decoded.grow(to: count, filler: 0)
    layout.dequantize(groups, groupCount: blockCount, into: &decoded)
    // Numbers have no padding between them.
    return unsafe QuantizationKernels.error(
      of: decoded, beside: weights.span.bytes, .f32, groupCount: count / Self.summedCount,
      groupSize: Self.summedCount, figures: &figures)
  }
}
