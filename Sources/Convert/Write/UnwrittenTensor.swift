import Formats

/// A tensor of the source that the output leaves out: it is only read, for the digest of its file.
struct UnwrittenTensor: TensorProducer {
  let reads: [ReadPart]

  var parts: [SafetensorsLayout.Request] { [] }
  /// All of it is read at the end.
  var readsInOrder: Bool { false }
  func tiles() -> [Range<Int>] { [] }
  func produce(_ tile: Range<Int>, in slot: ProducerSlot) {}
}
