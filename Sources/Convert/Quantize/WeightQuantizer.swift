import Formats

/// How weights are quantized: what a thread makes its own `GroupQuantizer` from.
struct WeightQuantizer: Sendable, Hashable {
  let layout: AffineLayout
  let scaleType: ScaleType
  let method: QuantizationMethod
}
