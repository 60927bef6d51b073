import Formats

/// What a source reads weights into. Its buffers are reused from tile to tile, by one thread at a
/// time.
package final class WeightTile {
  /// The weights, from the start; what lies behind them means nothing. Not filled where `elements` says
  /// so.
  package internal(set) var weights: [Float] = []
  /// As what the weights are at hand: F32 in `weights`; else they are the finite patterns of 16 bits at
  /// the start of `stored[0]`.
  var elements = ScaleType.f32
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

  package init() {}

  struct Bytes {
    var bytes: [UInt8] = []
    /// Which bytes of the stored tensor they are, where they are one run of it.
    var range = 0..<0
    /// Which of the stored tensors that the weights lie in.
    var part = 0
    var count: Int { range.count }
  }

  /// Lends weights `range` of the tile as they are at hand.
  func withElements<Result>(
    _ range: Range<Int>, _ body: (RawSpan, ScaleType) throws -> Result
  ) rethrows -> Result {
    let size = elements.byteCount
    let bytes = range.lowerBound * size..<range.upperBound * size
    // Numbers have no padding between them.
    guard elements != .f32 else {
      let weights = weights
      return try unsafe body(weights.span.bytes.extracting(bytes), .f32)
    }
    let patterns = stored[0].bytes
    return try unsafe body(patterns.span.bytes.extracting(bytes), elements)
  }

  /// Whether none of the first `count` of `weights` is NaN or infinity.
  func areWeightsFinite(_ count: Int) -> Bool {
    let weights = weights
    return ElementKernels.largestMagnitude(weights.span, count: count).isFinite
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
