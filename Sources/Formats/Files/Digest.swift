/// A checksum that a manifest records, and the rule by which it is made of bytes.
package struct Digest: Sendable, Hashable {
  package enum Rule: Sendable, Hashable {
    /// The XXH64 of all bytes, one after the other: version 1 of the packed format.
    case whole
    /// The XXH64 of the XXH64 values of blocks: those can be made in any order, on any machine.
    case blocks
  }

  package let rule: Rule
  package let value: UInt64

  package static let blockByteCount = 1 << 18

  /// In the place of what is not known yet.
  package static let blank = Digest(.blocks, 0)

  package init(_ rule: Rule, _ value: UInt64) {
    self.rule = rule
    self.value = value
  }

  /// The digest of `bytes`.
  package init(_ rule: Rule = .blocks, of bytes: [UInt8]) {
    var hasher = DigestHasher(rule)
    hasher.update(bytes, 0..<bytes.count)
    self = hasher.digest
  }

  /// What stands for several parts, of which these are the digests, in their order.
  package init(combining parts: [Digest]) {
    var hash = XXH64()
    for part in parts { hash.update(part.value) }
    self.init(.blocks, hash.value)
  }

  package var hexDigits: String { value.hexDigits }
}

extension Digest.Rule {
  /// The values of the whole blocks in `bytes[range]`, for `DigestHasher.update`; they need nothing
  /// that was read before. None where the rule has no blocks, or the bytes do not begin with one.
  ///
  /// - Parameter offset: where the bytes stand in the run that is digested.
  package func blockValues(_ bytes: [UInt8], _ range: Range<Int>, at offset: Int) -> [UInt64] {
    let size = Digest.blockByteCount
    guard self == .blocks, offset % size == 0 else { return [] }
    return (0..<range.count / size).map { block in
      let start = range.lowerBound + block * size
      var hash = XXH64()
      hash.update(bytes, start..<start + size)
      return hash.value
    }
  }
}
