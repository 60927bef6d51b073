import Formats
import Stats

/// What makes the bytes of one tensor of an output, tile by tile.
protocol TensorProducer: Sendable {
  /// The stored tensors that it makes, in the order in which a manifest names them.
  var parts: [SafetensorsLayout.Request] { get }
  /// The stored tensors that it reads whole, whose bytes `produce` leaves in `slot.tile.stored`.
  var reads: [ReadPart] { get }
  /// Whether it reads those in the order of their bytes.
  var readsInOrder: Bool { get }
  func tiles() -> [Range<Int>]
  /// Leaves the tile's bytes in `slot.pieces`, one for each part.
  func produce(_ tile: Range<Int>, in slot: ProducerSlot) throws
}

extension TensorProducer {
  var readsInOrder: Bool { true }
}

/// A stored tensor that is read whole.
struct ReadPart: Sendable {
  let file: SafetensorsFile
  let tensor: TensorInfo
  /// The checksum that it must have; nil where nothing says.
  let recorded: UInt64?
}

extension Checkpoint {
  /// - Parameter recorded: the checksum that the tensor must have; nil where nothing says.
  func readPart(_ tensor: Checkpoint.Tensor, recorded: UInt64?) -> ReadPart {
    ReadPart(file: files[tensor.file], tensor: tensor.info, recorded: recorded)
  }
}

/// Bytes of a stored tensor: runs of the same length at equal distances, or one run.
struct Piece {
  var bytes: [UInt8] = []
  var byteCount = 0
  /// Where the first run begins in the stored tensor.
  var offset = 0
  var runByteCount = 0
  /// From the beginning of one run to that of the next.
  var stride = 0

  var isOneRun: Bool { runByteCount == byteCount }
}

/// What producing a tensor, or a tile of it, did to the weights.
struct ProductionEffects: Sendable {
  var error = QuantizationError()
  /// NaN and infinities that were made zero.
  var zeroedCount = 0
  /// What storing merged biases lost.
  var rounding = BiasRounding()

  mutating func merge(_ other: ProductionEffects) {
    error.merge(other.error)
    zeroedCount += other.zeroedCount
    rounding.merge(other.rounding)
  }
}

/// The buffers of one tile; each is used by one thread at a time.
final class ProducerSlot {
  let tile = WeightTile()
  /// A second one, for what is read beside.
  let other = WeightTile()
  var pieces: [Piece] = []
  private(set) var pieceCount = 0
  var effects = ProductionEffects()
  let quantized = QuantizedGroups()

  /// Empties what the last tile left.
  func reset() {
    effects = ProductionEffects()
    pieceCount = 0
    tile.zeroedCount = 0
    tile.storedCount = 0
  }

  /// Makes room for a piece of one run for each part.
  func preparePieces(_ places: [(offset: Int, byteCount: Int)]) {
    while pieces.count < places.count { pieces.append(Piece()) }
    pieceCount = places.count
    for (index, place) in places.enumerated() {
      pieces[index].bytes.grow(to: place.byteCount, filler: 0)
      pieces[index].byteCount = place.byteCount
      pieces[index].offset = place.offset
      pieces[index].runByteCount = place.byteCount
    }
  }
}
