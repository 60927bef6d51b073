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
    /// Of its parts, unless they are scattered.
    var hashers: [DigestHasher]
    /// Whether its bytes are not written in their order.
    var isScattered = false
    var effects = ProductionEffects()
  }

  private let producers: [any TensorProducer]
  private let places: [Place?]
  private let files: [OutputFile]
  private let sources: SourceDigests?
  private(set) var outcomes: [Outcome]
  /// Of the stored tensors that the current one is made from.
  private var reads: ReadDigests

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
    reads = ReadDigests(ofAll: sources != nil)
    outcomes = producers.map { Outcome(hashers: $0.parts.map { _ in DigestHasher() }) }
  }

  var tensorCount: Int { producers.count }

  func tiles(of tensor: Int) -> [Range<Int>] { producers[tensor].tiles() }

  func makeSlot() -> ProducerSlot { ProducerSlot() }

  func work(_ tile: Range<Int>, of tensor: Int, in slot: ProducerSlot) throws {
    slot.reset()
    try producers[tensor].produce(tile, in: slot)
    hashBlocks(of: tensor, in: slot)
    try write(slot, of: tensor)
  }

  /// Every piece has its place: it need not wait for those before it.
  private func write(_ slot: ProducerSlot, of tensor: Int) throws {
    guard let place = places[tensor] else { return }
    for (index, piece) in slot.pieces.prefix(slot.pieceCount).enumerated() {
      try piece.forEachRun { bytes, position in
        try files[place.file].write(piece.bytes, bytes, at: place.offsets[index] + position)
      }
    }
  }

  /// Hashes here what needs not be hashed in order.
  private func hashBlocks(of tensor: Int, in slot: ProducerSlot) {
    let producer = producers[tensor]
    slot.readBlocks =
      producer.readsInOrder
      ? ReadDigests.blocks(of: producer.reads, in: slot.tile, ofAll: sources != nil) : []
    guard places[tensor] != nil else { return }
    for index in 0..<slot.pieceCount { slot.pieces[index].hashBlocks() }
  }

  func fold(_ tile: Range<Int>, of tensor: Int, from slot: ProducerSlot) throws -> Int {
    let producer = producers[tensor]
    let stored = slot.tile.stored.prefix(slot.tile.storedCount)
    if producer.readsInOrder {
      reads.add(slot.tile, blocks: slot.readBlocks, of: producer.reads)
    }
    outcomes[tensor].effects.merge(slot.effects)
    let readCount = stored.reduce(0) { $0 + $1.count }
    guard places[tensor] != nil else { return readCount }
    for (index, piece) in slot.pieces.prefix(slot.pieceCount).enumerated() {
      if piece.isOneRun {
        outcomes[tensor].hashers[index].update(
          piece.bytes, 0..<piece.byteCount, hashed: piece.blocks)
      } else {
        outcomes[tensor].isScattered = true
      }
    }
    return sources == nil
      ? slot.pieces.prefix(slot.pieceCount).reduce(0) { $0 + $1.byteCount } : readCount
  }

  /// - Throws: `PackedError.damagedTensor` where what was read is not what was recorded.
  func finish(_ tensor: Int) throws {
    let producer = producers[tensor]
    try reads.finish(producer.reads, inOrder: producer.readsInOrder) { read, digest in
      sources?.add(digest, of: read)
    }
  }
}
