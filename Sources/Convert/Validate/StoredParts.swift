import Formats

/// The stored tensors that a producer's parts should be.
struct StoredParts {
  private let tensors: [Checkpoint.Tensor]
  private let checkpoint: Checkpoint

  init(_ tensors: [Checkpoint.Tensor], in checkpoint: Checkpoint) {
    self.tensors = tensors
    self.checkpoint = checkpoint
  }

  /// Whether they hold the bytes of the tile that was produced.
  func hold(_ slot: ProducerSlot) throws -> Bool {
    for (part, piece) in slot.pieces.prefix(slot.pieceCount).enumerated() {
      var found = [UInt8](repeating: 0, count: piece.byteCount)
      try piece.forEachRun { bytes, position in
        try checkpoint.read(
          position..<position + bytes.count, of: tensors[part], into: &found,
          at: bytes.lowerBound)
      }
      if found[...] != piece.bytes[0..<piece.byteCount] { return false }
    }
    return true
  }
}
