import Formats
import Model

/// Whether a planned model fits a machine, and what a token costs it.
package struct ModelFit: Sendable {
  package let estimate: MemoryEstimate
  package let traffic: WeightTraffic
  package let format: CacheFormat
  package let context: Int
  package let batch: Int
  package let budget: Int?
  /// Bytes that the cache grows by with each token of a sequence, while no window is full.
  package let cacheBytesPerToken: Int
  package let cacheBytesPerTokenF16: Int
  /// Where configuration and tensors differ; the tensors were believed.
  package let disagreements: [String]
  private let layerCount: Int

  /// - Parameters:
  ///   - plan: with the widths that were chosen.
  ///   - format: of the cache.
  /// - Returns: nil where the configuration does not say enough.
  /// - Throws: `CacheGeometryError`, `MemoryEstimateError`.
  package init?(
    _ plan: ConversionPlan, format: CacheFormat, context: Int, batch: Int, budget: Int?
  ) throws {
    guard let config = plan.checkpoint.config, let activations = ActivationWorkingSet(config)
    else { return nil }
    let cache = try CacheGeometry(
      config: config,
      tensors: plan.tensors.map { ($0.identity, $0.tensor.dimensions) })
    traffic = plan.weightTraffic
    self.format = format
    self.context = context
    self.batch = batch
    self.budget = budget
    let weights = plan.tensors.reduce(0) { $0 + $1.storedByteCount }
    estimate = try MemoryEstimate(
      .init(
        weightByteCount: weights, cache: cache, format: format, activations: activations,
        batch: batch),
      context: context, budget: budget)
    cacheBytesPerToken = cache.bytesPerToken(format)
    cacheBytesPerTokenF16 = cache.bytesPerToken(.f16)
    disagreements = cache.disagreements.map(\.description)
    layerCount = cache.layers.count
  }

  /// The different widths of keys and of values, rising.
  package var keyBits: [Int] { bits(format.keys(ofLayer:)) }
  package var valueBits: [Int] { bits(format.values(ofLayer:)) }

  private func bits(_ width: (Int) -> ElementWidth) -> [Int] {
    Set((0..<max(1, layerCount)).map { width($0).bits }).sorted()
  }

  package var json: JSONValue {
    func context(_ context: MemoryEstimate.Context?) -> JSONValue {
      switch context {
      case .tokens(let count): .integer(count)
      case .unlimited: "unlimited"
      case nil: .null
      }
    }
    func bits(_ widths: [Int]) -> JSONValue { .array(widths.map { .integer($0) }) }
    func optional(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
    return [
      "memory_bytes": optional(budget), "context": .integer(self.context),
      "batch": .integer(batch), "key_bits": bits(keyBits), "value_bits": bits(valueBits),
      "weight_bytes": .integer(estimate.weightByteCount),
      "cache_bytes": .integer(estimate.cacheByteCount),
      "activation_bytes": .integer(estimate.activationByteCount),
      "total_bytes": .integer(estimate.totalByteCount),
      "remaining_bytes": optional(estimate.remainingByteCount),
      "cache_bytes_per_token": .integer(cacheBytesPerToken),
      "cache_bytes_per_token_f16": .integer(cacheBytesPerTokenF16),
      "longest_context": self.context > 0 ? context(estimate.longestFittingContext) : .null,
      "cache_outgrows_weights_at": optional(estimate.cacheOutgrowsWeightsAt),
      "weight_bytes_per_token": .integer(traffic.byteCountPerToken),
      "parameters": .integer(traffic.parameterCount),
      "active_parameters": .integer(traffic.activeParameterCount),
      "disagreements": .array(disagreements.map { .string($0) }),
    ]
  }
}

extension ConversionPlan {
  /// Parameters and bytes that a token needs.
  package var weightTraffic: WeightTraffic {
    WeightTraffic(
      tensors.filter { $0.standing != .dropped }.map {
        WeightTraffic.Tensor(
          name: $0.name, identity: $0.identity, shape: $0.tensor.dimensions,
          byteCount: $0.storedByteCount, parameterCount: $0.tensor.elementCount)
      },
      config: checkpoint.config, tiesWordEmbeddings: tiesWordEmbeddings)
  }
}
