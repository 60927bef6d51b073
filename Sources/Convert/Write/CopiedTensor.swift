import Formats

/// A stored tensor byte for byte, under the name that it has or another.
struct CopiedTensor: TensorProducer {
  let source: ReadPart
  let parts: [SafetensorsLayout.Request]

  /// - Parameter name: nil for the tensor's own.
  init(_ source: ReadPart, name: String? = nil) {
    self.source = source
    let tensor = source.tensor
    parts = [.init(name: name ?? tensor.name, dtype: tensor.dtype, shape: tensor.shape)]
  }

  var reads: [ReadPart] { [source] }

  func tiles() -> [Range<Int>] {
    Tiling.ranges(source.tensor.byteCount, step: Tiling.byteCount)
  }

  func produce(_ range: Range<Int>, in slot: ProducerSlot) throws {
    slot.tile.prepareStored([range])
    try source.file.read(range, of: source.tensor, into: &slot.tile.stored[0].bytes)
    slot.preparePieces([(range.lowerBound, range.count)])
    // The copy goes out while what was read goes into a digest.
    slot.pieces[0].bytes.replaceSubrange(
      0..<range.count, with: slot.tile.stored[0].bytes[0..<range.count])
  }
}
