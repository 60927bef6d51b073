/// Takes one field of the codes out of blocks that lie one after the other.
///
/// Blocks keep the bits of their codes in fields: runs of bytes, cut into chunks. Each byte of a chunk holds
/// `8 / bits` codes, the first in its lowest bits; a chunk begins with the lowest bits of all of its bytes.
///
/// - Parameters:
///   - blockBytes, blockLength: bytes and weights of a block.
///   - offset: byte of a block at which the field begins.
///   - chunk: bytes of a chunk.
///   - bits: of a code in this field: 1, 2, 4 or 8.
///   - shift: place of the field's bits in a code.
///   - flip: what stored bytes are combined with by exclusive or.
///   - codes: `blockCount * blockLength` of them; the bits are added to what is there.
package func unpackBlockField(
  _ bytes: Span<UInt8>, blockCount: Int, blockBytes: Int, blockLength: Int, offset: Int,
  chunk: Int, bits: Int, shift: Int, flip: UInt8, into codes: inout MutableSpan<UInt8>
) {
  checkField(
    blockCount, blockBytes, blockLength, offset, chunk, bits, shift, bytes: bytes.count,
    codes: codes.count)
  let mask = UInt8(truncatingIfNeeded: 1 << bits &- 1)
  for block in 0..<blockCount {
    var source = block &* blockBytes &+ offset
    var target = block &* blockLength
    let end = target &+ blockLength
    while target < end {
      for place in stride(from: 0, to: 8, by: bits) {
        let (right, left) = (UInt8(place), UInt8(shift))
        for index in 0..<chunk {
          let stored = unsafe bytes[unchecked: source &+ index] ^ flip
          unsafe codes[unchecked: target &+ index] |= ((stored &>> right) & mask) &<< left
        }
        target &+= chunk
      }
      source &+= chunk
    }
  }
}

/// The inverse of `unpackBlockField`: sets the bytes of the field, and no others.
package func packBlockField(
  _ codes: Span<UInt8>, blockCount: Int, blockBytes: Int, blockLength: Int, offset: Int,
  chunk: Int, bits: Int, shift: Int, flip: UInt8, into bytes: inout MutableSpan<UInt8>
) {
  checkField(
    blockCount, blockBytes, blockLength, offset, chunk, bits, shift, bytes: bytes.count,
    codes: codes.count)
  let mask = UInt8(truncatingIfNeeded: 1 << bits &- 1)
  for block in 0..<blockCount {
    var target = block &* blockBytes &+ offset
    var source = block &* blockLength
    let end = source &+ blockLength
    while source < end {
      for index in 0..<chunk { unsafe bytes[unchecked: target &+ index] = flip }
      for place in stride(from: 0, to: 8, by: bits) {
        let (left, right) = (UInt8(place), UInt8(shift))
        for index in 0..<chunk {
          let code = unsafe (codes[unchecked: source &+ index] &>> right) & mask
          unsafe bytes[unchecked: target &+ index] ^= code &<< left
        }
        source &+= chunk
      }
      target &+= chunk
    }
  }
}

private func checkField(
  _ blockCount: Int, _ blockBytes: Int, _ blockLength: Int, _ offset: Int, _ chunk: Int,
  _ bits: Int, _ shift: Int, bytes: Int, codes: Int
) {
  precondition(blockCount >= 0 && blockBytes > 0 && blockLength > 0 && chunk > 0)
  precondition([1, 2, 4, 8].contains(bits) && shift >= 0 && bits + shift <= 8)
  // Whole chunks, within the block.
  precondition(blockLength % (chunk * 8 / bits) == 0 && offset >= 0)
  precondition(offset + blockLength * bits / 8 <= blockBytes)
  precondition(bytes / blockBytes >= blockCount && codes / blockLength >= blockCount)
}

/// `(code - zero) * scale + bias` for sub-blocks that lie one after the other, each with a scale and a bias;
/// difference, product and sum are rounded to `Float`.
///
/// - Parameters:
///   - codes: `count * length` of them.
///   - scales, biases: one of each for every sub-block.
package func dequantizeSubBlocks(
  _ codes: Span<UInt8>, scales: Span<Float>, biases: Span<Float>, count: Int, length: Int,
  zero: Float, into weights: inout MutableSpan<Float>
) {
  precondition(length > 0 && count >= 0 && min(codes.count, weights.count) / length >= count)
  precondition(min(scales.count, biases.count) >= count)
  for block in 0..<count {
    let (scale, bias) = unsafe (scales[unchecked: block], biases[unchecked: block])
    let start = block &* length
    for index in start..<start &+ length {
      let code = unsafe Float(codes[unchecked: index]) - zero
      unsafe weights[unchecked: index] = code * scale + bias
    }
  }
}
