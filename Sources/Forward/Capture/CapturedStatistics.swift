import Convert

/// What was measured while a model read a text.
package struct CapturedStatistics: Sendable {
  /// Inputs in the order in which they are read, then the cache by layer.
  package let tensors: [TensorStatistics]
  /// By layer.
  package let similarities: [LayerSimilarity]

  package init(tensors: [TensorStatistics] = [], similarities: [LayerSimilarity] = []) {
    self.tensors = tensors
    self.similarities = similarities
  }
}
