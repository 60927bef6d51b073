import Convert
import Formats
import Stats

/// A packed matrix whose codes are learned: each weight of the source, in units of its group's scale and bias, is
/// moved until it is rounded to the code that serves the layer best. Scales and biases stay.
///
/// Source: AdaRound, arXiv 2004.10568; SignRound, arXiv 2309.05516, section 3, for the steps along signs.
final class LearnedMatrix {
  let linear: TapedLinear
  private let layout: AffineLayout
  private let scales: [Float]
  private let biases: [Float]
  /// Before and after they are moved.
  private let starts: [Float]
  private var places: [Float]

  /// How far a code's own cell is kept to at the start, and how far a place may move: a code changes by one at
  /// most.
  private static let cell: Float = 0.49
  private static let reach: Float = 0.5

  /// - Parameters:
  ///   - linear: with the source's weights, which it is given those of the codes for.
  ///   - groups: as stored.
  init(_ layout: AffineLayout, _ groups: PackedGroups, linear: TapedLinear) {
    self.linear = linear
    self.layout = layout
    let count = linear.weights.count
    scales = Array(groups.scales.prefix(count / layout.groupSize))
    biases = Array(groups.biases.prefix(count / layout.groupSize))
    starts = Self.starts(linear.weights, groups, layout)
    places = starts
    linear.isLearned = true
    decode()
  }

  /// Where weights lie between the codes; at most `cell` from the code that they have, so that this is where
  /// learning starts.
  private static func starts(
    _ weights: [Float], _ groups: PackedGroups, _ layout: AffineLayout
  ) -> [Float] {
    var starts = [Float](repeating: 0, count: weights.count)
    for group in 0..<weights.count / layout.groupSize {
      let (scale, bias) = (groups.scales[group], groups.biases[group])
      for index in group * layout.groupSize..<(group + 1) * layout.groupSize {
        let code = Float(groups.codes[index])
        let place = scale == 0 ? code : (weights[index] - bias) / scale
        starts[index] = max(code - cell, min(code + cell, place.isFinite ? place : code))
      }
    }
    return starts
  }

  /// Gives the layer the weights of the codes.
  func decode() {
    Self.decode(places, scales, biases, layout, into: &linear.weights)
  }

  private static func decode(
    _ places: [Float], _ scales: [Float], _ biases: [Float], _ layout: AffineLayout,
    into weights: inout [Float]
  ) {
    let largest = Float(layout.largestCode)
    for group in scales.indices {
      let (scale, bias) = (scales[group], biases[group])
      for index in group * layout.groupSize..<(group + 1) * layout.groupSize {
        let code = max(0, min(largest, places[index].rounded(.toNearestOrEven)))
        weights[index] = code * scale + bias
      }
    }
  }

  /// Moves all places by as much, each against the sign of its gradient: that of a weight times the scale, as if
  /// nothing were rounded.
  func move(by rate: Float) {
    Self.move(&places, starts, linear.gradient, scales, layout.groupSize, by: rate)
  }

  private static func move(
    _ places: inout [Float], _ starts: [Float], _ gradient: [Float], _ scales: [Float],
    _ groupSize: Int, by rate: Float
  ) {
    for group in scales.indices where scales[group] != 0 {
      let step = scales[group] > 0 ? rate : -rate
      for index in group * groupSize..<(group + 1) * groupSize {
        let slope = gradient[index]
        let moved = places[index] - (slope > 0 ? step : slope < 0 ? -step : 0)
        places[index] = max(starts[index] - reach, min(starts[index] + reach, moved))
      }
    }
  }

  /// Takes back all that was learned.
  func reset() {
    places = starts
    decode()
  }

  /// The packed words, and what they lose.
  ///
  /// - Parameters:
  ///   - source: the source's weights.
  ///   - type: in which a runtime decodes.
  func packed(of source: [Float], in type: ScaleType) -> (words: [UInt8], error: QuantizationError)
  {
    let largest = Float(layout.largestCode)
    let codes = places.map { UInt8(max(0, min(largest, $0.rounded(.toNearestOrEven)))) }
    var words = [UInt8](repeating: 0, count: codes.count * layout.bits / 8)
    layout.pack(codes, count: codes.count, into: &words)
    var decoded = [Float](repeating: 0, count: codes.count)
    layout.dequantize(
      codes: codes, scales: scales, biases: biases, groupCount: scales.count, in: type,
      into: &decoded)
    var error = QuantizationError()
    for (weight, value) in zip(source, decoded) {
      let difference = Double(weight) - Double(value)
      error.squaredNorm += Double(weight) * Double(weight)
      error.squaredError += difference * difference
      error.largestError = max(error.largestError, abs(difference))
    }
    return (words, error)
  }
}
