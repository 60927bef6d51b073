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
    /// Which bytes of the stored tensor they are, where they are one run of it.
    var range = 0..<0
    /// Which of the stored tensors that the weights lie in.
    var part = 0
    var count: Int { range.count }
  }

  /// Makes room for these bytes of stored tensors.
  func prepareStored(_ ranges: [Range<Int>]) {
    while stored.count < ranges.count { stored.append(Bytes()) }
    storedCount = ranges.count
    for (index, range) in ranges.enumerated() {
      stored[index].bytes.grow(to: range.count, filler: 0)
      stored[index].range = range
      stored[index].part = index
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
