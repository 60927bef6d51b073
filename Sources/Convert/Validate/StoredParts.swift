import Formats

/// The stored tensors that a producer's parts should be.
struct StoredParts {
  private let tensors: [Checkpoint.Tensor]
  private let checkpoint: Checkpoint

  init(_ tensors: [Checkpoint.Tensor], in checkpoint: Checkpoint) {
    self.tensors = tensors
    self.checkpoint = checkpoint
  }

  /// Whether they hold the bytes of the tile that was produced, each piece one run.
  func hold(_ slot: ProducerSlot) throws -> Bool {
    for (position, piece) in slot.pieces.prefix(slot.pieceCount).enumerated() {
      var found = [UInt8](repeating: 0, count: piece.byteCount)
      try checkpoint.read(
        piece.offset..<piece.offset + piece.byteCount, of: tensors[position], into: &found)
      if found[...] != piece.bytes[0..<piece.byteCount] { return false }
    }
    return true
  }
}
