import Convert

/// What threads read tiles of weights into and multiply in, kept from one linear layer to the next.
final class TileBuffers {
  final class Slot {
    let tile = WeightTile()
    var output: [Float] = []
    var panels: [Float] = []
  }

  private var slots: [Slot] = []

  /// For as many threads: a slot for what each works on, and one for what waits to be handed on.
  func slots(threads: Int) -> [Slot] {
    while slots.count < 2 * threads { slots.append(Slot()) }
    return slots
  }
}
