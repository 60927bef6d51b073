import Formats

/// The buffers of one tile; each is used by one thread at a time.
final class ProducerSlot {
  let tile = WeightTile()
  /// A second one, for what is read beside.
  let other = WeightTile()
  var pieces: [Piece] = []
  private(set) var pieceCount = 0
  /// The values of the whole blocks in what was read, of each stored tensor.
  var readBlocks: [[UInt64]] = []
  var effects = ProductionEffects()
  let quantized = QuantizedGroups()
  let blocks = QuantizedBlocks()

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
