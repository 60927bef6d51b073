/// The checksums of the packed format, from their definitions alone.
///
/// XXH64: Cyan4973/xxHash, `doc/xxhash_spec.md`, read step by step, with seed 0.
package enum NaiveDigest {
  /// Of a stored tensor, a carried file or a document, by version 2.
  package static func blocks(_ bytes: [UInt8]) -> String {
    let blocks = stride(from: 0, to: bytes.count, by: 262_144).map {
      Array(bytes[$0..<min($0 + 262_144, bytes.count)])
    }
    return hex(xxh64(blocks.flatMap { littleEndian(xxh64($0)) }))
  }

  /// By version 1.
  package static func whole(_ bytes: [UInt8]) -> String { hex(xxh64(bytes)) }

  /// Of a source file, by version 2.
  package static func source(_ file: NaiveFile) -> String {
    let parts = [blocks(file.headerBytes)] + file.tensorsInOrder.map { blocks($0.bytes) }
    return hex(xxh64(parts.flatMap { littleEndian(UInt64($0, radix: 16)!) }))
  }

  package static func xxh64(_ input: [UInt8]) -> UInt64 {
    let prime1: UInt64 = 11_400_714_785_074_694_791
    let prime2: UInt64 = 14_029_467_366_897_019_727
    let prime3: UInt64 = 1_609_587_929_392_839_161
    let prime4: UInt64 = 9_650_029_242_287_828_579
    let prime5: UInt64 = 2_870_177_450_012_600_261
    func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
      value << count | value >> (64 - count)
    }
    func round(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
      rotated(accumulator &+ lane &* prime2, 31) &* prime1
    }
    func number(at start: Int, bytes: Int) -> UInt64 {
      (0..<bytes).reduce(0) { $0 + UInt64(input[start + $1]) << UInt64(8 * $1) }
    }
    var place = 0
    var result: UInt64
    if input.count >= 32 {
      var lanes = [prime1 &+ prime2, prime2, 0, 0 &- prime1]
      while input.count - place >= 32 {
        for lane in 0..<4 {
          lanes[lane] = round(lanes[lane], number(at: place + 8 * lane, bytes: 8))
        }
        place += 32
      }
      result = zip(lanes, [1, 7, 12, 18]).reduce(0) { $0 &+ rotated($1.0, $1.1) }
      for lane in lanes { result = (result ^ round(0, lane)) &* prime1 &+ prime4 }
    } else {
      result = prime5
    }
    result = result &+ UInt64(input.count)
    while input.count - place >= 8 {
      result = rotated(result ^ round(0, number(at: place, bytes: 8)), 27) &* prime1 &+ prime4
      place += 8
    }
    if input.count - place >= 4 {
      let lane = number(at: place, bytes: 4)
      result = rotated(result ^ (lane &* prime1), 23) &* prime2 &+ prime3
      place += 4
    }
    while place < input.count {
      result = rotated(result ^ (UInt64(input[place]) &* prime5), 11) &* prime1
      place += 1
    }
    result = (result ^ result >> 33) &* prime2
    result = (result ^ result >> 29) &* prime3
    return result ^ result >> 32
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
