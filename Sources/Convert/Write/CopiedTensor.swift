import Formats

/// A stored tensor byte for byte, under the name and of the shape that it has, or others.
struct CopiedTensor: TensorProducer {
  let source: ReadPart
  let reads: [ReadPart]
  let parts: [SafetensorsLayout.Request]

  /// - Parameters:
  ///   - name: nil for the tensor's own.
  ///   - shape: of as many elements; nil for the tensor's own.
  ///   - isDigested: whether nothing else digests the tensor.
  init(
    _ source: ReadPart, name: String? = nil, shape: [UInt64]? = nil, isDigested: Bool = true
  ) {
    self.source = source
    reads = isDigested ? [source] : []
    let tensor = source.tensor
    parts = [
      .init(name: name ?? tensor.name, dtype: tensor.dtype, shape: shape ?? tensor.shape)
    ]
  }

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
