// Codes and the bit streams that they are packed in: code i takes bits `i * bits ..< (i + 1) * bits`,
// little-endian, so that eight codes are as many bytes as a code has bits.

/// Packs `count` codes, a multiple of eight.
package func packCodes(
  _ codes: Span<UInt8>, count: Int, bits: Int, into bytes: inout MutableSpan<UInt8>
) {
  precondition(bits >= 1 && bits <= 8 && count >= 0 && count % 8 == 0)
  let byteCount = count / 8 * bits
  precondition(codes.count >= count && bytes.count >= byteCount)
  switch bits {
  case 2: run(2)
  case 3: run(3)
  case 4: run(4)
  default: run(bits)
  }

  @inline(__always)
  func run(_ bits: Int) {
    let source = unsafe codes.bytes
    var output = unsafe bytes.mutableBytes
    // Eight bytes are stored for each; those too many are overwritten by the next.
    let whole = wordCount(byteCount, bits)
    for block in 0..<count / 8 {
      let eight = unsafe UInt64(
        littleEndian: source.unsafeLoadUnaligned(
          fromUncheckedByteOffset: 8 &* block, as: UInt64.self))
      let word = squeezed(eight, bits)
      if block < whole {
        unsafe output.storeBytes(
          of: word.littleEndian, toUncheckedByteOffset: block &* bits, as: UInt64.self)
      } else {
        for byte in 0..<bits {
          unsafe output.storeBytes(
            of: UInt8(truncatingIfNeeded: word &>> UInt64(8 &* byte)),
            toUncheckedByteOffset: block &* bits &+ byte, as: UInt8.self)
        }
      }
    }
  }
}

/// The inverse: `count` codes, a multiple of eight.
package func unpackCodes(
  _ bytes: Span<UInt8>, count: Int, bits: Int, into codes: inout MutableSpan<UInt8>
) {
  precondition(bits >= 1 && bits <= 8 && count >= 0 && count % 8 == 0)
  let byteCount = count / 8 * bits
  precondition(codes.count >= count && bytes.count >= byteCount)
  switch bits {
  case 2: run(2)
  case 3: run(3)
  case 4: run(4)
  default: run(bits)
  }

  @inline(__always)
  func run(_ bits: Int) {
    let source = unsafe bytes.bytes
    var output = unsafe codes.mutableBytes
    let whole = wordCount(byteCount, bits)
    for block in 0..<count / 8 {
      var word: UInt64 = 0
      if block < whole {
        word = unsafe UInt64(
          littleEndian: source.unsafeLoadUnaligned(
            fromUncheckedByteOffset: block &* bits, as: UInt64.self))
      } else {
        for byte in 0..<bits {
          let next = unsafe source.unsafeLoadUnaligned(
            fromUncheckedByteOffset: block &* bits &+ byte, as: UInt8.self)
          word |= UInt64(next) &<< UInt64(8 &* byte)
        }
      }
      unsafe output.storeBytes(
        of: spread(word, bits).littleEndian, toUncheckedByteOffset: 8 &* block, as: UInt64.self)
    }
  }
}

/// Blocks of eight codes that eight bytes can be stored or loaded for without leaving the stream.
@inline(__always)
private func wordCount(_ byteCount: Int, _ bits: Int) -> Int {
  byteCount < 8 ? 0 : (byteCount - 8) / bits + 1
}

/// Moves eight codes of a byte each together: pairs, pairs of pairs, and the two halves.
@inline(__always)
private func squeezed(_ eight: UInt64, _ bits: Int) -> UInt64 {
  let bits = UInt64(bits)
  let bytes: UInt64 = 0x00FF_00FF_00FF_00FF
  let pairs = (eight & bytes) | ((eight &>> 8 & bytes) &<< bits)
  let halves: UInt64 = 0x0000_FFFF_0000_FFFF
  let fours = (pairs & halves) | ((pairs &>> 16 & halves) &<< (2 &* bits))
  return (fours & 0xFFFF_FFFF) | ((fours &>> 32) &<< (4 &* bits))
}

/// The inverse; what stands behind the eight codes is left out.
@inline(__always)
private func spread(_ word: UInt64, _ bits: Int) -> UInt64 {
  let bits = UInt64(bits)
  let four = UInt64(0xFFFF_FFFF) &>> (32 &- 4 &* bits)
  let fours = (word & four) | ((word &>> (4 &* bits) & four) &<< 32)
  let two = (UInt64(0xFFFF) &>> (16 &- 2 &* bits)) &* 0x0000_0001_0000_0001
  let pairs = (fours & two) | ((fours &>> (2 &* bits) & two) &<< 16)
  let one = (UInt64(0xFF) &>> (8 &- bits)) &* 0x0001_0001_0001_0001
  return (pairs & one) | ((pairs &>> bits & one) &<< 8)
}
