import Formats

extension TensorUpdate {
  /// Whether the float weights change before they are quantized or stored.
  var changesWeights: Bool {
    !dense.isEmpty || magnitude != nil || replacement != nil || !additions.isEmpty
  }
}

/// Merges adapters into float weights on their way from the file.
///
/// Sources: LoRA, arXiv 2106.09685 (W + s·B·A); DoRA, arXiv 2402.09353, equation 5, with PEFT's
/// reading: every row of W + s·B·A is scaled to the length that was trained.
struct WeightMerge: WeightTransform {
  /// Of the tensor.
  let name: String
  let update: TensorUpdate

  /// Nil where the update leaves the weights alone.
  init?(_ update: TensorUpdate?, name: String) {
    guard let update, update.changesWeights else { return nil }
    self.update = update
    self.name = name
  }

  /// DoRA sets the lengths of rows.
  var needsWholeRows: Bool { update.magnitude != nil }

  /// The buffers of one thread.
  private final class Scratch {
    var pairs = PairCache()
    var values: [Float] = []
  }

  /// - Throws: `MergeError`; `AdapterError`, `FileError` where the adapter cannot be read.
  func apply(to tile: WeightTile, _ range: Range<Int>, of shape: MatrixShape) throws {
    let scratch = tile.scratch { Scratch() }
    try replaceAndAdd(range, to: &tile.weights, scratch: &scratch.values)
    for pair in try scratch.pairs.pairs(of: name, update.dense) {
      pair.addDense(
        to: &tile.weights, count: range.count, start: range.lowerBound, scratch: &scratch.values)
    }
    if let magnitude = update.magnitude {
      let inputs = max(1, shape.inputs)
      try scaleRows(
        of: &tile.weights, range.lowerBound / inputs..<range.upperBound / inputs, inputs: inputs,
        to: magnitude)
    }
    if let bad = (0..<range.count).first(where: { !tile.weights[$0].isFinite }) {
      throw MergeError.overflow(tensor: name, index: range.lowerBound + bad, type: .f32)
    }
  }

  /// Puts elements `range` of the replacement into `weights`, and adds what is to be added.
  private func replaceAndAdd(
    _ range: Range<Int>, to weights: inout [Float], scratch: inout [Float]
  ) throws {
    if let replacement = update.replacement {
      try replacement.adapter.read(range, of: replacement.tensor, into: &weights)
    }
    for (addition, factor) in update.additions {
      scratch.grow(to: range.count, filler: 0)
      try addition.adapter.read(range, of: addition.tensor, into: &scratch)
      for index in 0..<range.count {
        weights[index] = Float(Double(weights[index]) + factor * Double(scratch[index]))
      }
    }
  }

  private func scaleRows(
    of weights: inout [Float], _ rows: Range<Int>, inputs: Int, to magnitude: AdapterTensor
  ) throws {
    var lengths = [Float](repeating: 0, count: rows.count)
    try magnitude.adapter.read(rows, of: magnitude.tensor, into: &lengths)
    for (index, length) in lengths.enumerated() {
      let row = index * inputs..<(index + 1) * inputs
      var sum = 0.0
      for place in row { sum += Double(weights[place]) * Double(weights[place]) }
      guard sum > 0 else {
        throw MergeError.cannotCombine(
          tensor: name, what: "row \(rows.lowerBound + index) is zero; DoRA cannot give it a length"
        )
      }
      let scale = Float(Double(length) / sum.squareRoot())
      for place in row { weights[place] *= scale }
    }
  }
}
