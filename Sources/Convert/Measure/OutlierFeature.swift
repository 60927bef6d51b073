import Model

/// A channel that is large in many layers and at many tokens: an emergent outlier feature of
/// LLM.int8() (arXiv 2208.07339, section 4.1).
package struct OutlierFeature: Sendable, Equatable {
  package let channel: Int
  /// Layers in which the channel reaches a magnitude of 6, and their share of the layers measured.
  package let layerCount: Int
  package let layerShare: Double
  /// Share of the tokens of all layers at which it does.
  package let tokenShare: Double

  package static let smallestLayerShare = 0.25
  package static let smallestTokenShare = 0.06

  /// The features among the inputs of the attention projections and of the first feed-forward
  /// layer; the second one's inputs do not count. By falling share of tokens.
  package static func emergent(in tensors: [TensorStatistics]) -> [OutlierFeature] {
    var layersSeen = Set<Int>()
    var layers: [Int: Set<Int>] = [:]
    var tokens: [Int: Int] = [:]
    var tokenCount = 0
    for tensor in tensors {
      guard let outliers = tensor.outliers, let layer = tensor.layer, counts(tensor.role) else {
        continue
      }
      layersSeen.insert(layer)
      tokenCount += outliers.tokenCount
      for feature in outliers.features {
        layers[feature.channel, default: []].insert(layer)
        tokens[feature.channel, default: 0] += feature.tokenCount
      }
    }
    return layers.map { channel, found in
      OutlierFeature(
        channel: channel, layerCount: found.count,
        layerShare: Double(found.count) / Double(layersSeen.count),
        tokenShare: Double(tokens[channel] ?? 0) / Double(tokenCount))
    }
    .filter { $0.layerShare >= smallestLayerShare && $0.tokenShare >= smallestTokenShare }
    .sorted { ($1.tokenShare, $0.channel) < ($0.tokenShare, $1.channel) }
  }

  private static func counts(_ role: TensorRole?) -> Bool {
    switch role {
    case .attnQ, .attnK, .attnV, .attnQKV, .attnO, .attnQA, .attnKVA, .mlpGate, .mlpUp, .mlpGateUp,
      .sharedExpertGate, .sharedExpertUp, .sharedExpertGateUp:
      true
    default: false
    }
  }
}
