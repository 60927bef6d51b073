import Formats

/// What a source reads weights into. Its buffers are reused from tile to tile, by one thread at a
/// time.
final class WeightTile {
  /// The weights, from the start; what lies behind them means nothing.
  var weights: [Float] = []
  /// NaN and infinities that were made zero.
  var zeroedCount = 0
  /// The bytes that were read, for each stored tensor that the weights lie in; only where they are
  /// one run of it.
  var stored: [Bytes] = []
  var storedCount = 0
  /// Of packed weights, what they were decoded from.
  var groups = PackedGroups()
  /// In the order of the file, where that is not the order of the weights.
  var turned: [Float] = []
  private var scratch: [ObjectIdentifier: AnyObject] = [:]

  struct Bytes {
    var bytes: [UInt8] = []
    var count = 0
  }

  /// Makes room for stored bytes of these sizes.
  func prepareStored(_ sizes: [Int]) {
    while stored.count < sizes.count { stored.append(Bytes()) }
    storedCount = sizes.count
    for (index, size) in sizes.enumerated() {
      stored[index].bytes.grow(to: size, filler: 0)
      stored[index].count = size
    }
  }

  /// The tile's own object of a type, made when first asked for: what a transform keeps from tile to
  /// tile.
  func scratch<Scratch: AnyObject>(_ make: () -> Scratch) -> Scratch {
    if let found = scratch[ObjectIdentifier(Scratch.self)] as? Scratch { return found }
    let made = make()
    scratch[ObjectIdentifier(Scratch.self)] = made
    return made
  }
}

extension Array {
  /// Makes the array at least `count` long; what was there stays.
  mutating func grow(to count: Int, filler: Element) {
    if self.count < count { append(contentsOf: repeatElement(filler, count: count - self.count)) }
  }
}
