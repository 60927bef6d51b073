import Formats
import Model

/// What a person may choose about a conversion.
package struct ConversionOptions: Sendable {
  /// Bits, and a group size where one is named, for the tensors that a pattern matches. Of several
  /// that match, the last one holds.
  package struct Override: Sendable {
    package let pattern: NamePattern
    package let bits: Int
    package let groupSize: Int?

    /// Parses `PATTERN=BITS[:GROUP]`.
    package init(parsing text: String) throws(PlanError) {
      guard let equals = text.lastIndex(of: "="), equals > text.startIndex else {
        throw .badOverride(text)
      }
      let numbers = text[text.index(after: equals)...].split(
        separator: ":", omittingEmptySubsequences: false)
      guard (1...2).contains(numbers.count), let bits = Int(numbers[0]),
        AffineLayout.allowedBits.contains(bits)
      else { throw .badOverride(text) }
      var group: Int?
      if numbers.count == 2 {
        guard let size = Int(numbers[1]), AffineLayout.allowedGroupSizes.contains(size) else {
          throw .badOverride(text)
        }
        group = size
      }
      pattern = try NamePattern(String(text[..<equals]))
      self.bits = bits
      groupSize = group
    }
  }

  package var bits = 4
  package var groupSize = 64
  package var method = QuantizationMethod.search
  /// Type of scales and biases; nil for the source's own.
  package var scaleType: ScaleType?
  /// E[x²] of the inputs by channel, by name of the weight: what errors count in a search. Where it
  /// is not known, the weights themselves say.
  package var meanSquares: [String: [Float]] = [:]
  /// The files that `meanSquares` came from, for the record.
  package var calibration: [BitPlan.Input] = []
  /// Second moments of the inputs, for `gptq`.
  package var grams: (any GramSource)?
  /// Channels that are scaled before anything is quantized. `meanSquares` and `grams` are those of the inputs as
  /// they are without.
  package var folds: [Manifest.Fold] = []
  /// How those were chosen, for the record.
  package var smoothing: ChannelSmoothing?
  /// Type of biases that adapters are merged into; nil for that of the scales.
  package var biasType: ScaleType?
  /// Whether pooled updates that do not fit the packed groups are merged before quantization.
  package var mergesMismatchedGroups = false
  package var overrides: [Override] = []
  package var keep: [NamePattern] = []
  /// Layouts of the tensors to quantize, as a manifest records them, all others being kept; nil to
  /// decide by the options above.
  package var recordedLayouts: [String: AffineLayout]?
  package var nonFinite = NonFinitePolicy.error
  /// Of what a GGUF file may hold in any type; nil for that of the source, with 16 bits.
  package var ggufTypes: GGUFTypes?
  /// Whether weights that are packed already are decoded and packed again.
  package var requantizes = false
  /// Data bytes after which the next shard begins.
  package var shardLimit = 5_000_000_000
  /// Smallest share of the weight bytes to be quantized, 0 to 1.
  package var minimumCoverage: Double?
  /// A width for every tensor; `bits` and `groupSize` then only say what is common. Its method is taken, too,
  /// but where `gptq` was asked for: no plan is measured with that.
  package var plan: BitPlan? {
    didSet {
      guard let plan else { return }
      if !method.needsGrams { method = plan.method }
      scaleType = plan.scaleType
      if let common = plan.commonLayout { (bits, groupSize) = (common.bits, common.groupSize) }
    }
  }

  package init() {}

  /// Those of a GGUF file as its manifest records them.
  package var ggufJSON: JSONValue {
    var json: JSONValue = [
      "type": .string(ggufTypes?.name.lowercased() ?? "auto"),
      "non_finite": .string(nonFinite.rawValue),
    ]
    json["activations"] = activationsJSON
    return json
  }

  /// What `meanSquares` came from.
  private var activationsJSON: JSONValue? {
    calibration.isEmpty ? nil : .array(calibration.map { $0.json("xxh64") })
  }

  /// The options as the manifest records them.
  package var json: JSONValue {
    var json: JSONValue = [
      "bits": .integer(bits), "group_size": .integer(groupSize), "method": .string(method.rawValue),
      "scale_dtype": .string(scaleType?.rawValue.lowercased() ?? "auto"),
      "overrides": .array(
        overrides.map { override in
          .string(
            override.pattern.text + "=\(override.bits)"
              + (override.groupSize.map { ":\($0)" } ?? ""))
        }),
      "keep": .array(keep.map { .string($0.text) }), "non_finite": .string(nonFinite.rawValue),
    ]
    if requantizes { json["requantize"] = true }
    json["smooth"] = smoothing?.json
    json["activations"] = activationsJSON
    return json
  }
}
