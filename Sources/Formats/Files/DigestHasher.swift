/// Makes the digest of a run of bytes that comes in pieces.
package struct DigestHasher: Sendable {
  package let rule: Digest.Rule
  /// Of the block that is not full yet; by the rule without blocks, of everything.
  private var open = XXH64()
  private var openByteCount = 0
  /// Of the values of the full blocks.
  private var full = XXH64()

  package init(_ rule: Digest.Rule = .blocks) { self.rule = rule }

  /// Continues with `bytes[range]`.
  ///
  /// - Parameter hashed: the values of the first blocks of these bytes, where they are known; what
  ///   came before is then whole blocks.
  package mutating func update(_ bytes: [UInt8], _ range: Range<Int>, hashed: [UInt64] = []) {
    guard rule == .blocks else { return open.update(bytes, range) }
    precondition(hashed.isEmpty || openByteCount == 0)
    for value in hashed { full.update(value) }
    var start = range.lowerBound + hashed.count * Digest.blockByteCount
    while start < range.upperBound {
      let end = min(range.upperBound, start + Digest.blockByteCount - openByteCount)
      open.update(bytes, start..<end)
      openByteCount += end - start
      if openByteCount == Digest.blockByteCount {
        full.update(open.value)
        (open, openByteCount) = (XXH64(), 0)
      }
      start = end
    }
  }

  /// Of everything so far.
  package var digest: Digest {
    guard rule == .blocks else { return Digest(.whole, open.value) }
    var full = full
    if openByteCount > 0 { full.update(open.value) }
    return Digest(.blocks, full.value)
  }
}
