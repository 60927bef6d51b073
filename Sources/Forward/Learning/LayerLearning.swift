import Convert
import Formats
import Model
import Stats

/// Learns the codes of one layer.
struct LayerLearning {
  /// A packed matrix of the layer.
  struct Packed {
    let linear: LinearDescription
    /// Of the tensor, in the manifest.
    let name: String
    let layout: AffineLayout
    let groups: PackedGroups
    let decodedType: ScaleType
  }

  /// With the source's weights.
  let original: TapedLayer
  /// With the weights of the codes.
  let learned: TapedLayer
  let matrices: [Packed]
  let windows: [Range<Int>]
  /// Of the order in which windows are taken.
  let seed: UInt64

  /// - Parameters:
  ///   - given: what goes into the layer; receives what comes out of it.
  ///   - wanted: what should come out of it.
  ///   - codes: receives those that are learned.
  func run(
    given: HiddenStates, wanted: HiddenStates, _ codes: LearnedCodes
  ) throws -> LearnedRounding.Layer {
    let matrices = matrices.map { packed in
      let linear = learned.linear(packed.linear)
      linear.weights = original.linear(packed.linear).weights
      return LearnedMatrix(packed.layout, packed.groups, linear: linear)
    }
    let before = try error(given, wanted)
    var after = before
    if !matrices.isEmpty {
      try learn(matrices, given, wanted)
      after = try error(given, wanted)
      if !(after < before) {
        for matrix in matrices { matrix.reset() }
        after = before
      }
    }
    for (matrix, packed) in zip(matrices, self.matrices) {
      let (words, error) = matrix.packed(
        of: original.linear(packed.linear).weights, in: packed.decodedType)
      try codes.append(words, error, of: packed.name)
    }
    try learned.run(windows, over: given)
    return .init(before: before, after: after)
  }

  private func learn(
    _ matrices: [LearnedMatrix], _ given: HiddenStates, _ wanted: HiddenStates
  ) throws {
    var generator = SplitMix64(seed: seed)
    let count = LearnedRounding.epochs * windows.count
    for epoch in 0..<LearnedRounding.epochs {
      for (place, window) in windows.shuffled(using: &generator).enumerated() {
        let step = epoch * windows.count + place
        let tape = Tape()
        let output = try learned.run(Variable(given.rows(window)), tape)
        // Of half the squared error; only signs count.
        output.addGradient(output.values.values)
        output.addGradient(try wanted.rows(window).values, times: -1)
        try tape.goBack()
        let rate = LearnedRounding.rate * (1 - Double(step) / Double(count))
        for matrix in matrices {
          matrix.move(by: Float(rate))
          matrix.decode()
        }
      }
    }
  }

  /// Mean squared difference over all windows.
  private func error(_ given: HiddenStates, _ wanted: HiddenStates) throws -> Double {
    var sum = 0.0
    var count = 0
    for window in windows {
      let output = try learned.run(Variable(given.rows(window)), nil).values.values
      for (one, other) in zip(output, try wanted.rows(window).values) {
        let difference = Double(one) - Double(other)
        sum += difference * difference
      }
      count += output.count
    }
    return sum / Double(max(1, count))
  }
}
