import Formats
import Model

/// A linear layer that reads the channels of a fold, and what becomes of its weights in a conversion.
struct FoldReader {
  let linear: LinearDescription
  /// The tensor of the checkpoint.
  let weight: String
  /// All of the tensor, output-major.
  let source: WeightSource
  /// Nil where it is kept.
  let quantizer: WeightQuantizer?

  /// Some rows, read as numbers.
  struct Sample {
    let rows: Int
    let inputs: Int
    let weights: [Float]
  }

  private static let rowsAtOnce = GPTQKernels.stripRows

  /// Rows at equal distances, in runs of sixteen; all of a small matrix.
  ///
  /// - Throws: what reading throws.
  func sample(rows limit: Int, in tile: WeightTile) throws -> Sample {
    let (inputs, outputs) = (linear.inputs, linear.outputs)
    let atOnce = min(Self.rowsAtOnce, outputs)
    let blocks = max(1, min(limit, outputs) / atOnce)
    let own = (linear.place?.index ?? 0) * outputs
    var weights: [Float] = []
    weights.reserveCapacity(blocks * atOnce * inputs)
    for block in 0..<blocks {
      let first = own + (outputs - atOnce) * block / max(1, blocks - 1)
      try source.read(first * inputs..<(first + atOnce) * inputs, into: tile)
      weights += tile.weights.prefix(atOnce * inputs)
    }
    return Sample(rows: blocks * atOnce, inputs: inputs, weights: weights)
  }

  /// The largest magnitude of the weights of each input.
  ///
  /// - Throws: what reading throws; `CancellationError`.
  func maxima(in tile: WeightTile, _ cancellation: Cancellation) throws -> [Float] {
    let (inputs, outputs) = (linear.inputs, linear.outputs)
    let own = (linear.place?.index ?? 0) * outputs
    let step = max(1, Tiling.weightCount / inputs)
    var maxima = [Float](repeating: 0, count: inputs)
    for first in stride(from: 0, to: outputs, by: step) {
      try cancellation.check()
      let count = min(step, outputs - first)
      try source.read((own + first) * inputs..<(own + first + count) * inputs, into: tile)
      for row in 0..<count {
        for input in 0..<inputs {
          maxima[input] = max(maxima[input], abs(tile.weights[row * inputs + input]))
        }
      }
    }
    return maxima
  }
}
