import Formats

/// Digests stored tensors that are read whole, and holds them against what is recorded of them: damage
/// is not passed on.
struct ReadDigests {
  /// Whether every tensor is digested, also one of which nothing is recorded.
  let isComplete: Bool
  /// Of the current tensors; nil before their first tile.
  private var hashers: [DigestHashers]?

  init(ofAll isComplete: Bool) { self.isComplete = isComplete }

  /// By which rules a stored tensor is digested.
  private static func rules(_ read: ReadPart, ofAll isComplete: Bool) -> Set<Digest.Rule> {
    var rules: Set<Digest.Rule> = isComplete ? [.blocks] : []
    if let recorded = read.recorded { rules.insert(recorded.rule) }
    return rules
  }

  /// The values of the whole blocks in what a tile holds of each stored tensor, in order: what can be
  /// hashed before its turn comes.
  static func blocks(
    of reads: [ReadPart], in tile: WeightTile, ofAll isComplete: Bool
  ) -> [[UInt64]] {
    tile.stored.prefix(tile.storedCount).map { stored in
      // What somebody else digests is not among the reads.
      guard stored.part < reads.count,
        rules(reads[stored.part], ofAll: isComplete).contains(.blocks)
      else { return [] }
      return Digest.Rule.blocks.blockValues(
        stored.bytes, 0..<stored.count, at: stored.range.lowerBound)
    }
  }

  /// Takes the next bytes of each stored tensor.
  ///
  /// - Parameter blocks: as `blocks` gives them for the tile.
  mutating func add(_ tile: WeightTile, blocks: [[UInt64]], of reads: [ReadPart]) {
    var hashers = hashers ?? makeHashers(reads)
    self.hashers = nil
    for (index, stored) in tile.stored.prefix(tile.storedCount).enumerated()
    where stored.part < hashers.count {
      hashers[stored.part].update(stored.bytes, 0..<stored.count, hashed: blocks[index])
    }
    self.hashers = hashers
  }

  private func makeHashers(_ reads: [ReadPart]) -> [DigestHashers] {
    reads.map { DigestHashers(Self.rules($0, ofAll: isComplete)) }
  }

  /// Called when all of the stored tensors was read.
  ///
  /// - Parameters:
  ///   - inOrder: whether that was done in the order of their bytes; else they are read again.
  ///   - take: given the digest of every tensor, where all are digested.
  /// - Throws: `PackedError.damagedTensor`; `FileError`.
  mutating func finish(
    _ reads: [ReadPart], inOrder: Bool, take: (ReadPart, Digest) -> Void = { _, _ in }
  ) throws {
    let hashers = hashers ?? makeHashers(reads)
    self.hashers = nil
    for (read, hashers) in zip(reads, hashers) {
      func digest(_ rule: Digest.Rule) throws -> Digest {
        inOrder ? hashers.digest(rule) : try read.file.digest(rule, of: read.tensor)
      }
      if let recorded = read.recorded {
        let found = try digest(recorded.rule)
        guard found == recorded else {
          throw PackedError.damagedTensor(
            file: read.file.path, tensor: read.tensor.name, found: found, recorded: recorded)
        }
      }
      if isComplete { take(read, try digest(.blocks)) }
    }
  }
}
