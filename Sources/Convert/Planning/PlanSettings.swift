import Formats
import Model

/// Widths of what no file stores, activations and cache, as settings for a runtime.
package struct PlanSettings: Sendable {
  package let preset: Preset
  package let recommendation: Preset.Recommendation
  package let flags: [(runtime: Runtime, cache: RuntimeFlags, activations: RuntimeFlags)]

  /// Channels of the cache that share a scale.
  package static let cacheGroupSize = 64

  /// What the paper recommends for a model.
  package init(_ preset: Preset, for plan: ConversionPlan) {
    let traffic = plan.weightTraffic
    let recommendation = preset.recommendation(
      parameterCount: traffic.parameterCount, activeParameterCount: traffic.activeParameterCount)
    self.preset = preset
    self.recommendation = recommendation
    flags = Runtime.allCases.map { runtime in
      (
        runtime,
        RuntimeFlags.cache(
          runtime, keyBits: recommendation.keys.bits, valueBits: recommendation.values.bits,
          groupSize: Self.cacheGroupSize,
          hasWindows: plan.checkpoint.config?.slidingWindow != nil),
        RuntimeFlags.activations(runtime, bits: recommendation.activations.bits)
      )
    }
  }

  /// The cache at the recommended widths.
  package var cacheFormat: CacheFormat {
    func width(_ bits: Int?) -> ElementWidth {
      bits.flatMap { ElementWidth(bits: $0, groupSize: Self.cacheGroupSize) } ?? .f16
    }
    return CacheFormat(
      keys: width(recommendation.keys.bits), values: width(recommendation.values.bits))
  }

  package var json: JSONValue {
    func choice(_ choice: Preset.Choice) -> JSONValue {
      [
        "bits": .integer(choice.bits ?? 16), "reason": .string(choice.reason),
        "source": .string(choice.source),
      ]
    }
    func flag(_ flags: RuntimeFlags) -> JSONValue {
      [
        "arguments": flags.arguments.map { .array($0.map { .string($0) }) } ?? .null,
        "remark": flags.remark.map { .string($0) } ?? .null,
      ]
    }
    return [
      "name": .string(preset.rawValue), "weights": choice(recommendation.weights),
      "activations": choice(recommendation.activations), "keys": choice(recommendation.keys),
      "values": choice(recommendation.values),
      "notes": .array(recommendation.notes.map { .string($0) }),
      "runtimes": .array(
        flags.map {
          [
            "runtime": .string($0.runtime.rawValue), "cache": flag($0.cache),
            "activations": flag($0.activations),
          ]
        }),
    ]
  }
}
