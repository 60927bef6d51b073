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
