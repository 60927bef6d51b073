/// Work that goes through tensors tile by tile: on any thread, then in order.
///
/// `work` is called from several threads at once and must not change what they share; `fold` and
/// `finish` are called one at a time, in the order of tensors and tiles, so that what they sum up
/// does not depend on the number of threads.
protocol TensorPass: AnyObject {
  associatedtype Tile
  /// The buffers of one tile, reused from tile to tile.
  associatedtype Slot: AnyObject

  var tensorCount: Int { get }
  /// The tiles of a tensor; may be none.
  func tiles(of tensor: Int) -> [Tile]
  func makeSlot() -> Slot
  func work(_ tile: Tile, of tensor: Int, in slot: Slot) throws
  /// - Returns: how many bytes of progress the tile is.
  func fold(_ tile: Tile, of tensor: Int, from slot: Slot) throws -> Int
  /// Called when the last tile of a tensor is folded; of every tensor.
  func finish(_ tensor: Int) throws
}

extension TensorPass {
  func finish(_ tensor: Int) throws {}

  /// Goes through all tensors.
  ///
  /// - Throws: of the errors that occurred, that of the earliest tile; `CancellationError`.
  func run(_ context: RunContext) throws {
    var next = TileSequence(self)
    // Tensors before this one are finished.
    var current = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * context.threads).map { _ in makeSlot() }, next: { next.next() },
      work: { job, slot in
        try context.cancellation.check()
        try self.work(job.tile, of: job.tensor, in: slot)
      },
      handOn: { job, slot in
        while current < job.tensor {
          try self.finish(current)
          current += 1
        }
        context.progress(try self.fold(job.tile, of: job.tensor, from: slot))
      })
    try pipeline.run(threads: context.threads)
    try context.cancellation.check()
    while current < tensorCount {
      try finish(current)
      current += 1
    }
  }
}

/// The tiles of a pass one after the other; no more than one tensor's are held.
private struct TileSequence<Pass: TensorPass> {
  private let pass: Pass
  private var tensor = -1
  private var tiles: ArraySlice<Pass.Tile> = []

  init(_ pass: Pass) { self.pass = pass }

  mutating func next() -> (tensor: Int, tile: Pass.Tile)? {
    while tiles.isEmpty {
      guard tensor + 1 < pass.tensorCount else { return nil }
      tensor += 1
      tiles = pass.tiles(of: tensor)[...]
    }
    return (tensor, tiles.removeFirst())
  }
}
