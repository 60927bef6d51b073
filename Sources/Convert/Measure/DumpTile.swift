import Formats
import Stats

/// Whole tokens of a dump's tensor that are measured at once.
struct DumpTile {
  let part: Int
  /// Counted from the part's first token.
  let tokens: Range<Int>
  /// Index of the first token in the tensor.
  let firstToken: Int
  let valueCount: Int

  /// Tokens of one channel that share a scale (KIVI, arXiv 2402.02750, section 4.1: G = 32).
  static let channelGroup = 32

  /// Tiles of about a fixed size: whole groups of tokens, so that no group is cut but the last of
  /// a part.
  static func tiles(of tensor: TensorDump.Tensor) -> [DumpTile] {
    let fitting = max(1, Tiling.weightCount / tensor.width)
    let step =
      switch tensor.subject {
      case .input: fitting
      case .key, .value, .latent, .rotaryKey:
        max(channelGroup, fitting / channelGroup * channelGroup)
      }
    var first = 0
    return tensor.parts.indices.flatMap { part in
      defer { first += tensor.parts[part].tokenCount }
      return Tiling.ranges(tensor.parts[part].tokenCount, step: step).map { tokens in
        DumpTile(
          part: part, tokens: tokens, firstToken: first + tokens.lowerBound,
          valueCount: tokens.count * tensor.width)
      }
    }
  }

  /// Reads the tile's values into `slot.tile.weights`, and their bytes into `slot.tile.stored`.
  func read(of tensor: TensorDump.Tensor, in dump: TensorDump, into slot: MeasureSlot) throws {
    let part = tensor.parts[part]
    let bytesPerToken = tensor.width * tensor.dtype.bitCount / 8
    let tile = slot.tile
    let bytes = tokens.lowerBound * bytesPerToken..<tokens.upperBound * bytesPerToken
    tile.prepareStored([bytes])
    try dump.files[part.file].read(bytes, of: part.info, into: &tile.stored[0].bytes)
    tile.weights.grow(to: valueCount, filler: 0)
    let isDecoded = ElementDecoder.decode(
      tile.stored[0].bytes, count: valueCount, as: tensor.dtype, into: &tile.weights)
    precondition(isDecoded, "a dump has only types that decode")
  }
}

extension ActivationOutliers {
  /// Sun et al., arXiv 2402.17762, section 2.2.
  static let massiveMagnitude: Float = 100

  static func massiveThreshold(median: Double) -> Double { 1000 * median }
}
