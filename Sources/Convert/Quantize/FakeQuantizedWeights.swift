import Formats

/// Puts what a packed tensor would decode to in the place of the weights: fake quantization.
struct FakeQuantizedWeights: WeightTransform {
  let quantizer: WeightQuantizer
  /// What errors count in a search, by input channel; nil where all count alike.
  var importance: [Float]?

  /// Groups lie within rows.
  var needsWholeRows: Bool { true }

  func apply(to tile: WeightTile, _ range: Range<Int>, of shape: MatrixShape) {
    // Left alone, so that what they make is refused where it comes up.
    guard tile.areWeightsFinite(range.count) else { return }
    let layout = quantizer.layout
    let groupCount = range.count / layout.groupSize
    let scratch = tile.scratch { QuantizedGroups() }
    let runs = importance.map {
      [
        ImportanceRun(
          groups: 0..<groupCount, values: $0, firstInput: range.lowerBound % shape.inputs)
      ]
    }
    _ = scratch.quantize(
      tile, groupCount: groupCount, quantizer, importance: runs ?? [])
    let groups = scratch.groups
    layout.dequantize(
      codes: groups.codes, scales: groups.scales, biases: groups.biases, groupCount: groupCount,
      in: quantizer.scaleType, into: &tile.weights)
  }
}
