/// Hashes for tables whose keys come from files that nobody vouches for: the seed is another one in each
/// process, so that no file can be made of keys that collide.
struct SeededHash: Sendable {
  private let seed: UInt64
  /// Odd, so that no bit of a key is lost in the product.
  private let factor: UInt64

  static let shared = SeededHash()

  private init() {
    seed = .random(in: 0...UInt64.max)
    factor = .random(in: 0...UInt64.max) | 1
  }

  @inline(__always)
  private func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }

  @inline(__always)
  func hash(_ key: UInt64) -> UInt64 { mix(key ^ seed) }

  @inline(__always)
  func hash(_ bytes: Span<UInt8>) -> UInt64 {
    let count = bytes.count
    var hash = seed ^ UInt64(truncatingIfNeeded: count)
    var offset = 0
    // In bounds by the conditions; every bit pattern is a number.
    let raw = unsafe bytes.bytes
    while offset + 8 <= count {
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      hash = mix(hash ^ word)
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < count {
      rest = rest << 8 | UInt64(bytes[offset])
      offset += 1
    }
    return mix(hash ^ rest)
  }
}
