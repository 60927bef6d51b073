import Formats
import Stats

/// Compares tensors with their sources, and digests what it reads of these.
final class ComparisonPass: TensorPass {
  struct Loss {
    var error = QuantizationError()
    /// Whether bytes differ that should be the same.
    var differs = false
  }

  final class Slot {
    let producer = ProducerSlot()
    let packed = WeightTile()
    var figures: [Double] = []
    var loss = Loss()
    var byteCount = 0
    /// The values of the whole blocks in what was read of the source, of each stored tensor.
    var readBlocks: [[UInt64]] = []
  }

  private let compared: [TensorComparison?]
  private let reads: [[ReadPart]]
  private var readDigests = ReadDigests(ofAll: true)
  /// Of the stored tensors of the source that were read in order.
  let digests = SourceDigests()
  private(set) var losses: [Loss]

  init(_ compared: [TensorComparison?]) {
    self.compared = compared
    losses = compared.map { _ in Loss() }
    // Whatever is recorded of them, it is the source's digest that counts here.
    reads = compared.map { tensor in
      (tensor?.readsInOrder ?? []).map { ReadPart(file: $0.file, tensor: $0.tensor, recorded: nil) }
    }
  }

  var tensorCount: Int { compared.count }

  func tiles(of tensor: Int) -> [Range<Int>] {
    switch compared[tensor] {
    case .weights(let source, _, _, _): source.tiles()
    case .bytes(let producer, _): producer.tiles()
    case nil: []
    }
  }

  func makeSlot() -> Slot { Slot() }

  func work(_ tile: Range<Int>, of tensor: Int, in slot: Slot) throws {
    slot.loss = Loss()
    switch compared[tensor] {
    case .weights(let source, let packed, let packing, _):
      slot.loss.error = try Self.error(tile, source, packed, packing, in: slot)
      slot.byteCount = slot.producer.tile.stored[0].count
    case .bytes(let producer, let stored):
      slot.producer.reset()
      try producer.produce(tile, in: slot.producer)
      slot.loss.differs = try !stored.hold(slot.producer)
      slot.byteCount = slot.producer.tile.stored[0].count
    case nil: slot.byteCount = 0
    }
    slot.readBlocks = ReadDigests.blocks(of: reads[tensor], in: slot.producer.tile, ofAll: true)
  }

  func fold(_ tile: Range<Int>, of tensor: Int, from slot: Slot) -> Int {
    losses[tensor].error.merge(slot.loss.error)
    if slot.loss.differs { losses[tensor].differs = true }
    readDigests.add(slot.producer.tile, blocks: slot.readBlocks, of: reads[tensor])
    return slot.byteCount
  }

  func finish(_ tensor: Int) throws {
    try readDigests.finish(reads[tensor], inOrder: true) { read, digest in
      digests.add(digest, of: read)
    }
  }

  /// What decoding loses: the same sums in the same order as when the tensor was packed.
  static func error(
    _ range: Range<Int>, _ source: WeightSource, _ packed: PackedStorage,
    _ packing: AffinePacking, in slot: Slot
  ) throws -> QuantizationError {
    try source.readElements(range, into: slot.producer.tile)
    try packed.readGroups(range, into: slot.packed)
    let groups = slot.packed.groups
    return slot.producer.tile.withElements(0..<range.count) { bytes, type in
      QuantizationKernels.error(
        of: groups, packing.layout, in: packing.decodedType, beside: bytes, type,
        groupCount: range.count / packing.groupSize, figures: &slot.figures)
    }
  }
}
