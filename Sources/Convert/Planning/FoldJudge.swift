import Formats

/// Measures what quantized layers' outputs lose where their inputs are scaled. One instance serves one thread.
final class FoldJudge {
  let tile = WeightTile()
  private let groups = QuantizedGroups()
  private var output = WeightedOutputError()
  private let gptq: GPTQCache?
  private let grams: (any GramSource)?

  /// - Parameters:
  ///   - gptq: of `grams`, shared by all threads.
  ///   - grams: of the inputs as they are; nil where only mean squares are known.
  init(_ gptq: GPTQCache?, _ grams: (any GramSource)?) {
    self.gptq = gptq
    self.grams = grams
  }

  /// What a reader's outputs lose with each of several scalings, by the mean square of the inputs.
  ///
  /// - Parameters:
  ///   - candidates: exponents of each input.
  ///   - meanSquares: E[x²] of the inputs as they are.
  /// - Returns: one for each candidate, of some rows of the reader.
  /// - Throws: what reading throws; `GramError`.
  func losses(
    of reader: FoldReader, rows: Int, candidates: [[Int]], meanSquares: [Float]
  ) throws -> [Double] {
    guard let quantizer = reader.quantizer else { return candidates.map { _ in 0 } }
    let sample = try reader.sample(rows: rows, in: tile)
    let factors = try gptq?.factors(
      ofInputsOf: reader.weight, damping: GPTQFactors.damping)
    let gram = quantizer.method.needsGrams ? try grams?.gram(ofInputsOf: reader.weight) : nil
    return try candidates.map { exponents in
      let scales = exponents.map { Float(sign: .plus, exponent: $0, significand: 1) }
      let residuals = try residuals(
        sample, scales, quantizer, meanSquares: meanSquares,
        gram: gram.map {
          try GPTQFactors(
            $0.divided(by: scales), of: reader.weight, in: grams?.path ?? "")
        })
      guard let factors else {
        return WeightedOutputError.sum(
          residuals, rows: sample.rows, inputs: sample.inputs, meanSquares: meanSquares)
      }
      return output.sum(residuals, rows: sample.rows, factors)
    }
  }

  /// What quantized weights, scaled back, are away from what they were.
  ///
  /// - Parameter gram: of the scaled inputs; nil where they are not quantized for it.
  private func residuals(
    _ sample: FoldReader.Sample, _ scales: [Float], _ quantizer: WeightQuantizer,
    meanSquares: [Float], gram: GPTQFactors?
  ) throws -> [Float] {
    let (rows, inputs, count) = (sample.rows, sample.inputs, sample.weights.count)
    let groupCount = count / quantizer.layout.groupSize
    tile.elements = .f32
    tile.weights.grow(to: count, filler: 0)
    for row in 0..<rows {
      for input in 0..<inputs {
        let place = row * inputs + input
        tile.weights[place] = sample.weights[place] * scales[input]
      }
    }
    if let gram {
      _ = groups.quantize(tile, rows: rows, quantizer, factors: gram)
    } else {
      let importance = ChannelImportance.measured(
        meanSquares: zip(meanSquares, scales).map { $0 / ($1 * $1) })
      _ = groups.quantize(
        tile, groupCount: groupCount, quantizer,
        importance: importance.map {
          [ImportanceRun(groups: 0..<groupCount, values: $0, firstInput: 0)]
        } ?? [])
    }
    let found = groups.groups
    quantizer.layout.dequantize(
      codes: found.codes, scales: found.scales, biases: found.biases, groupCount: groupCount,
      in: quantizer.scaleType, into: &tile.weights)
    var residuals = [Float](repeating: 0, count: count)
    for row in 0..<rows {
      for input in 0..<inputs {
        let place = row * inputs + input
        residuals[place] = tile.weights[place] / scales[input] - sample.weights[place]
      }
    }
    return residuals
  }
}
