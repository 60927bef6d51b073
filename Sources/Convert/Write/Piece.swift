import Formats

/// Bytes of a stored tensor: runs of the same length at equal distances, or one run.
struct Piece {
  var bytes: [UInt8] = []
  var byteCount = 0
  /// Where the first run begins in the stored tensor.
  var offset = 0
  var runByteCount = 0
  /// From the beginning of one run to that of the next.
  var stride = 0
  /// The values of the whole blocks at its start; see `hashBlocks`.
  private(set) var blocks: [UInt64] = []

  var isOneRun: Bool { runByteCount == byteCount }

  /// Goes through the runs.
  ///
  /// - Parameter body: given the bytes of one, and where they stand in the stored tensor.
  func forEachRun(_ body: (_ bytes: Range<Int>, _ position: Int) throws -> Void) rethrows {
    var position = offset
    for start in Swift.stride(from: 0, to: byteCount, by: max(1, runByteCount)) {
      try body(start..<start + runByteCount, position)
      position += stride
    }
  }

  mutating func hashBlocks() {
    blocks =
      isOneRun ? Digest.Rule.blocks.blockValues(bytes, 0..<byteCount, at: offset) : []
  }
}
