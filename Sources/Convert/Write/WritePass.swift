import Formats

/// Produces tensors and writes them where they belong; keeps their digests.
final class WritePass: TensorPass {
  /// Where a tensor goes: a file, and for each of its parts the position in it.
  struct Place {
    let file: Int
    let offsets: [Int]
  }

  /// What became of a tensor.
  struct Outcome {
    /// Of its parts; of those that are written in order.
    var hashers: [DigestHasher]
    var effects = ProductionEffects()
  }

  private let producers: [any TensorProducer]
  private let places: [Place?]
  private let files: [OutputFile]
  private let sources: SourceDigests?
  private(set) var outcomes: [Outcome]
  /// Of the stored tensors that the current one is made from; nil before its first tile.
  private var readHashers: [DigestHashers]?

  /// - Parameters:
  ///   - places: of each producer's tensor; nil where nothing is written of it.
  ///   - sources: takes what is read, for the record.
  init(
    _ producers: [any TensorProducer], places: [Place?], files: [OutputFile],
    sources: SourceDigests?
  ) {
    self.producers = producers
    self.places = places
    self.files = files
    self.sources = sources
    outcomes = producers.map { Outcome(hashers: $0.parts.map { _ in DigestHasher() }) }
  }

  var tensorCount: Int { producers.count }

  func tiles(of tensor: Int) -> [Range<Int>] { producers[tensor].tiles() }

  func makeSlot() -> ProducerSlot { ProducerSlot() }

  func work(_ tile: Range<Int>, of tensor: Int, in slot: ProducerSlot) throws {
    slot.reset()
    try producers[tensor].produce(tile, in: slot)
    hashBlocks(of: tensor, in: slot)
  }

  /// Hashes here what needs not be hashed in order.
  private func hashBlocks(of tensor: Int, in slot: ProducerSlot) {
    let producer = producers[tensor]
    slot.readBlocks = producer.reads.enumerated().map { index, read in
      guard producer.readsInOrder, rules(read).contains(.blocks) else { return [] }
      let stored = slot.tile.stored[index]
      return Digest.Rule.blocks.blockValues(
        stored.bytes, 0..<stored.count, at: stored.range.lowerBound)
    }
    guard places[tensor] != nil else { return }
    for index in 0..<slot.pieceCount { slot.pieces[index].hashBlocks() }
  }

  func fold(_ tile: Range<Int>, of tensor: Int, from slot: ProducerSlot) throws -> Int {
    let producer = producers[tensor]
    let stored = slot.tile.stored.prefix(slot.tile.storedCount)
    if producer.readsInOrder {
      var hashers = readHashers ?? makeHashers(producer)
      readHashers = nil
      for index in hashers.indices {
        hashers[index].update(
          stored[index].bytes, 0..<stored[index].count, hashed: slot.readBlocks[index])
      }
      readHashers = hashers
    }
    outcomes[tensor].effects.merge(slot.effects)
    let readCount = stored.reduce(0) { $0 + $1.count }
    guard let place = places[tensor] else { return readCount }
    for (index, piece) in slot.pieces.prefix(slot.pieceCount).enumerated() {
      if piece.isOneRun {
        outcomes[tensor].hashers[index].update(
          piece.bytes, 0..<piece.byteCount, hashed: piece.blocks)
      }
      try write(piece, to: files[place.file], at: place.offsets[index])
    }
    return sources == nil
      ? slot.pieces.prefix(slot.pieceCount).reduce(0) { $0 + $1.byteCount } : readCount
  }

  private func write(_ piece: Piece, to file: OutputFile, at base: Int) throws {
    var position = base + piece.offset
    for start in stride(from: 0, to: piece.byteCount, by: max(1, piece.runByteCount)) {
      try file.write(piece.bytes, start..<start + piece.runByteCount, at: position)
      position += piece.stride
    }
  }

  /// By which rules a stored tensor that is read is digested.
  private func rules(_ read: ReadPart) -> Set<Digest.Rule> {
    var rules: Set<Digest.Rule> = sources == nil ? [] : [.blocks]
    if let recorded = read.recorded { rules.insert(recorded.rule) }
    return rules
  }

  private func makeHashers(_ producer: any TensorProducer) -> [DigestHashers] {
    producer.reads.map { DigestHashers(rules($0)) }
  }

  /// What was read must be what was recorded: damage is not passed on.
  ///
  /// - Throws: `PackedError.damagedTensor`.
  func finish(_ tensor: Int) throws {
    let producer = producers[tensor]
    let hashers = readHashers ?? makeHashers(producer)
    readHashers = nil
    for (read, hashers) in zip(producer.reads, hashers) {
      // What was not read in order is read again.
      func digest(_ rule: Digest.Rule) throws -> Digest {
        producer.readsInOrder
          ? hashers.digest(rule) : try read.file.digest(rule, of: read.tensor)
      }
      if let recorded = read.recorded {
        let found = try digest(recorded.rule)
        guard found == recorded else {
          throw PackedError.damagedTensor(
            file: read.file.path, tensor: read.tensor.name, found: found, recorded: recorded)
        }
      }
      if let sources { sources.add(try digest(.blocks), of: read) }
    }
  }
}
