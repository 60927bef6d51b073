/// Makes digests of the same bytes by several rules.
package struct DigestHashers: Sendable {
  private var hashers: [DigestHasher]

  package init(_ rules: Set<Digest.Rule>) { hashers = rules.map { DigestHasher($0) } }

  /// As `DigestHasher.update`.
  package mutating func update(_ bytes: [UInt8], _ range: Range<Int>, hashed: [UInt64] = []) {
    for index in hashers.indices { hashers[index].update(bytes, range, hashed: hashed) }
  }

  /// By one of the rules that were asked for.
  package func digest(_ rule: Digest.Rule) -> Digest {
    guard let digest = hashers.first(where: { $0.rule == rule })?.digest else {
      preconditionFailure("a digest is asked for before its bytes are read")
    }
    return digest
  }
}
