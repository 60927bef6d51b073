import Formats

/// What may be chosen.
package struct CandidateOptions: Sendable {
  /// In rising order.
  package var bits = usualBits
  package var groupSizes = [32, 64, 128]
  /// Widths that are settled; the last one that matches a tensor holds.
  package var overrides: [ConversionOptions.Override] = []
  package var method = QuantizationMethod.search
  /// Weights of a tensor that are measured; nil for all.
  package var sampleSize: Int? = 1 << 18

  package init() {}

  private static let usualBits = [3, 4, 5, 6, 8]

  /// Offers 2 bits where the budget asks for them: where the average is less than 4 bits, or not known. With
  /// those of some tensors others keep what a model needs.
  package mutating func offerWidths(for budget: Budget?, of plan: ConversionPlan) {
    let average: Double? =
      switch budget {
      case .bitsPerWeight(let bits): bits
      case .size(let bytes): 8 * Double(bytes) / Double(max(1, plan.weightCount))
      case .uniform(let bits, _): Double(bits)
      case .relativeError, .divergence, nil: nil
      }
    bits = (average ?? 0) < 4 ? AffineLayout.allowedBits : Self.usualBits
  }

  /// The layouts that a tensor may have, by rising bits, then falling group size. Where none of the
  /// group sizes divides its inputs, the largest smaller one that does, as in a conversion.
  func layouts(of tensor: TensorPlan) -> [AffineLayout] {
    let override = overrides.last { $0.pattern.matches(tensor.name) }
    let wanted = override?.groupSize.map { [$0] } ?? groupSizes
    let fitting = AffineLayout.allowedGroupSizes.filter { tensor.inputCount % $0 == 0 }
    var sizes = wanted.filter(fitting.contains)
    if sizes.isEmpty, let largest = fitting.filter({ $0 < wanted.max() ?? 0 }).max() {
      sizes = [largest]
    }
    return (override.map { [$0.bits] } ?? bits).flatMap { bits in
      sizes.sorted(by: >).compactMap { AffineLayout(bits: bits, groupSize: $0) }
    }
  }
}
