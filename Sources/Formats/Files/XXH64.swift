/// The XXH64 checksum, seed 0, over any number of pieces.
///
/// Detects accidental damage; it is no defence against someone who wants two files to agree.
/// Source: Cyan4973/xxHash, `doc/xxhash_spec.md`, "XXH64 Algorithm Description".
package struct XXH64: Sendable {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
  private static let stripe = 32

  private var lane1 = prime1 &+ prime2
  private var lane2 = prime2
  private var lane3: UInt64 = 0
  private var lane4: UInt64 = 0 &- prime1
  private var pending: [UInt8] = []
  private var total: UInt64 = 0

  package init() {}

  /// The checksum of `bytes` as one piece.
  package static func digest(_ bytes: [UInt8]) -> UInt64 {
    var hash = XXH64()
    hash.update(bytes)
    return hash.value
  }

  package mutating func update(_ bytes: [UInt8]) { update(bytes, 0..<bytes.count) }

  /// Continues with the eight bytes of a number, the lowest first.
  package mutating func update(_ number: UInt64) {
    update((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) })
  }

  /// Continues with `bytes[range]`.
  package mutating func update(_ bytes: [UInt8], _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    total &+= UInt64(range.count)
    var start = range.lowerBound
    if !pending.isEmpty {
      let taken = min(Self.stripe - pending.count, range.count)
      pending.append(contentsOf: bytes[start..<start + taken])
      start += taken
      guard pending.count == Self.stripe else { return }
      let whole = pending
      consumeStripes(of: whole.span, from: 0, count: 1)
      pending.removeAll(keepingCapacity: true)
    }
    let stripes = (range.upperBound - start) / Self.stripe
    consumeStripes(of: bytes.span, from: start, count: stripes)
    start += stripes * Self.stripe
    pending.append(contentsOf: bytes[start..<range.upperBound])
  }

  private mutating func consumeStripes(of bytes: Span<UInt8>, from start: Int, count: Int) {
    precondition(start >= 0 && count >= 0 && count <= (bytes.count - start) / Self.stripe)
    var (a, b, c, d) = (lane1, lane2, lane3, lane4)
    for stripe in 0..<count {
      let base = start &+ stripe &* Self.stripe
      a = Self.round(a, bytes.loadUncheckedLittleEndian(at: base, as: UInt64.self))
      b = Self.round(b, bytes.loadUncheckedLittleEndian(at: base &+ 8, as: UInt64.self))
      c = Self.round(c, bytes.loadUncheckedLittleEndian(at: base &+ 16, as: UInt64.self))
      d = Self.round(d, bytes.loadUncheckedLittleEndian(at: base &+ 24, as: UInt64.self))
    }
    (lane1, lane2, lane3, lane4) = (a, b, c, d)
  }

  /// The checksum of everything so far.
  package var value: UInt64 {
    var hash: UInt64
    if total >= UInt64(Self.stripe) {
      hash =
        Self.rotate(lane1, 1) &+ Self.rotate(lane2, 7) &+ Self.rotate(lane3, 12)
        &+ Self.rotate(lane4, 18)
      for lane in [lane1, lane2, lane3, lane4] {
        hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
      }
    } else {
      hash = Self.prime5
    }
    hash &+= total
    let tail = pending.span
    var offset = 0
    while offset + 8 <= pending.count {
      hash ^= Self.round(0, tail.loadLittleEndian(at: offset, as: UInt64.self))
      hash = Self.rotate(hash, 27) &* Self.prime1 &+ Self.prime4
      offset += 8
    }
    if offset + 4 <= pending.count {
      hash ^= UInt64(tail.loadLittleEndian(at: offset, as: UInt32.self)) &* Self.prime1
      hash = Self.rotate(hash, 23) &* Self.prime2 &+ Self.prime3
      offset += 4
    }
    while offset < pending.count {
      hash ^= UInt64(pending[offset]) &* Self.prime5
      hash = Self.rotate(hash, 11) &* Self.prime1
      offset += 1
    }
    hash ^= hash >> 33
    hash = hash &* Self.prime2
    hash ^= hash >> 29
    hash = hash &* Self.prime3
    hash ^= hash >> 32
    return hash
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 &- count)
  }
}

extension UInt64 {
  /// Sixteen lower-case hexadecimal digits, as checksums are written.
  package var hexDigits: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The value of exactly sixteen lower-case hexadecimal digits.
  package init?(hexDigits text: String) {
    guard text.utf8.count == 16, text == text.lowercased(), !text.hasPrefix("+"),
      let value = UInt64(text, radix: 16)
    else { return nil }
    self = value
  }
}
