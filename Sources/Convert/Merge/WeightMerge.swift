import Formats

extension TensorUpdate {
  /// Whether the float weights change before they are quantized or stored.
  var changesWeights: Bool {
    !dense.isEmpty || magnitude != nil || replacement != nil || !additions.isEmpty
  }

  /// Merges into `count` float weights of the tensor, in the order of its output-major matrix; the
  /// first is element `start`. With DoRA they are whole rows of `inputs`.
  ///
  /// Sources: LoRA, arXiv 2106.09685 (W + s·B·A); DoRA, arXiv 2402.09353, equation 5, with PEFT's
  /// reading: every row of W + s·B·A is scaled to the length that was trained.
  /// - Throws: `MergeError`; `AdapterError`, `FileError` where the adapter cannot be read.
  func merge(
    into weights: inout [Float], count: Int, start: Int, inputs: Int, name: String,
    slot: TileSlot
  ) throws {
    try replaceAndAdd(start..<start + count, into: &weights, scratch: &slot.products)
    for pair in try slot.densePairs.pairs(of: name, dense) {
      pair.addDense(to: &weights, count: count, start: start, scratch: &slot.products)
    }
    if let magnitude {
      try scaleRows(
        of: &weights, start / inputs..<(start + count) / inputs, inputs: inputs,
        to: magnitude, name: name)
    }
    if let bad = (0..<count).first(where: { !weights[$0].isFinite }) {
      throw MergeError.overflow(tensor: name, index: start + bad, type: .f32)
    }
  }

  private func scaleRows(
    of weights: inout [Float], _ rows: Range<Int>, inputs: Int, to magnitude: AdapterTensor,
    name: String
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
