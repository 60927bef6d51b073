/// How a packed checkpoint's tensor is held against its source.
enum TensorComparison {
  /// What decoding the packed weights, the second, in groups of this size, loses of the first.
  case weights(WeightSource, WeightSource, groupSize: Int)
  /// Whether the stored bytes are those that are produced.
  case bytes(any TensorProducer, StoredParts)
}
