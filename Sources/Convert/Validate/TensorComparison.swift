import Formats

/// How a packed checkpoint's tensor is held against its source.
enum TensorComparison {
  /// What decoding the packed weights loses of the first, which lie in the stored tensors `reads`.
  case weights(WeightSource, PackedStorage, AffinePacking, reads: [ReadPart])
  /// Whether the stored bytes are those that are produced.
  case bytes(any TensorProducer, StoredParts)

  /// The stored tensors of the source that are read whole and in the order of their bytes.
  var readsInOrder: [ReadPart] {
    switch self {
    case .weights(let source, _, _, let reads): source.storage.isReadInOrder ? reads : []
    case .bytes(let producer, _): producer.readsInOrder ? producer.reads : []
    }
  }
}
