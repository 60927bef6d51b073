import Formats

/// The values of one tensor, decoded, however it is stored: figures of all of them, and the first.
package struct TensorValues: Sendable {
  package private(set) var count = 0
  package private(set) var zeroCount = 0
  package private(set) var nanCount = 0
  package private(set) var infinityCount = 0
  /// Of the finite values; nil where there are none.
  package private(set) var minimum: Float?
  package private(set) var maximum: Float?
  /// In the order in which they lie; of packed matrices output by output.
  package private(set) var first: [Float] = []
  private var sum = 0.0

  package var finiteCount: Int { count - nanCount - infinityCount }
  /// Of the finite values; nil where there are none.
  package var mean: Double? { finiteCount > 0 ? sum / Double(finiteCount) : nil }

  private init() {}

  /// Reads a tensor in tiles, and nothing else of the checkpoint but scales of 8-bit floats.
  ///
  /// - Parameters:
  ///   - name: as `Inspection` has it.
  ///   - firstCount: how many of its values are kept.
  /// - Returns: nil where the checkpoint has no such tensor.
  /// - Throws: `ConversionError.undecodable` for a type without numbers in whole bytes;
  ///   `SourceError.scaleMismatch`, `ManifestError`, `PackedError`, `FileError`; `CancellationError`.
  package init?(
    of name: String, in checkpoint: Checkpoint, firstCount: Int, _ context: RunContext
  ) throws {
    let stored = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    // What is stored in a packing that is not known has its parts by name.
    let found =
      try checkpoint.sourceTensors().first { $0.name == name }
      ?? stored[name].map { SourceTensor($0) }
    guard let found else { return nil }
    let companion =
      found.dtype.isFloat8 && !found.isPacked
      ? WeightScale.companion(of: name, in: stored) : nil
    let scale = try companion.map {
      try WeightScale($0, of: found.stored[0], isInputMajor: false, in: checkpoint)
    }
    let pass = Pass(
      WeightSource(
        name: name, file: checkpoint.fileName(of: found),
        storage: found.storage(in: checkpoint, scales: [scale], turning: .outputMajor)),
      firstCount: firstCount)
    try pass.run(context)
    try checkpoint.checkUnchanged()
    self = pass.values
  }

  /// Takes in the first `count` values of a tile, up to `firstCount` of them as they are.
  fileprivate init(_ values: [Float], count: Int, firstCount: Int) {
    self.count = count
    first = Array(values.prefix(min(count, firstCount)))
    let values = values.span
    var (least, most) = (Float.infinity, -Float.infinity)
    for index in 0..<count {
      let value = values[index]
      guard value.isFinite else {
        if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
        continue
      }
      if value == 0 { zeroCount += 1 }
      sum += Double(value)
      least = min(least, value)
      most = max(most, value)
    }
    if finiteCount > 0 { (minimum, maximum) = (least, most) }
  }

  fileprivate mutating func append(_ next: Self, firstCount: Int) {
    count += next.count
    zeroCount += next.zeroCount
    nanCount += next.nanCount
    infinityCount += next.infinityCount
    sum += next.sum
    minimum = [minimum, next.minimum].compactMap(\.self).min()
    maximum = [maximum, next.maximum].compactMap(\.self).max()
    first += next.first.prefix(firstCount - first.count)
  }
}

extension TensorValues {
  private final class Pass: TensorPass {
    final class Slot {
      let tile = WeightTile()
      var values = TensorValues()
    }

    let source: WeightSource
    let firstCount: Int
    var values = TensorValues()
    let tensorCount = 1

    init(_ source: WeightSource, firstCount: Int) {
      self.source = source
      self.firstCount = firstCount
    }

    func tiles(of tensor: Int) -> [Range<Int>] { source.tiles() }

    func makeSlot() -> Slot { Slot() }

    func work(_ tile: Range<Int>, of tensor: Int, in slot: Slot) throws {
      try source.read(tile, into: slot.tile)
      slot.values = TensorValues(
        slot.tile.weights, count: tile.count, firstCount: max(0, firstCount - tile.lowerBound))
    }

    func fold(_ tile: Range<Int>, of tensor: Int, from slot: Slot) -> Int {
      values.append(slot.values, firstCount: firstCount)
      // In proportion, so that all tiles together come to the tensor's bytes.
      let bytes = Double(source.storage.byteCount) / Double(source.shape.count)
      return Int(Double(tile.upperBound) * bytes) - Int(Double(tile.lowerBound) * bytes)
    }
  }
}
