import Foundation
import Model

/// Sines and cosines of consecutive positions of a window, `[positions, pairs]`.
struct RotaryTable {
  private let description: RotaryDescription
  private let cosines: [Float]
  private let sines: [Float]

  /// - Parameter positions: the last ones of a window.
  init(_ description: RotaryDescription, positions: Range<Int>) {
    self.description = description
    let frequencies = description.frequencies(windowLength: positions.upperBound)
    let magnitude = description.scaling.magnitude
    let angles = positions.flatMap { position in
      frequencies.map { Double(position) * $0 }
    }
    cosines = angles.map { Float(cos($0) * magnitude) }
    sines = angles.map { Float(sin($0) * magnitude) }
  }

  /// Turns the leading features of each head.
  ///
  /// - Parameters:
  ///   - window: the tokens that are at the table's positions.
  ///   - headWidth: features of a head.
  ///   - offset: those of them that come before the ones that turn.
  ///   - isInverse: whether they are turned, and put, back.
  func rotate(
    _ activations: Activations, window: Range<Int>, headWidth: Int, offset: Int = 0,
    isInverse: Bool = false
  ) {
    Self.rotate(
      &activations.values, features: activations.features, window, headWidth: headWidth,
      offset: offset, description, cosines, sines, isInverse: isInverse)
  }

  private static func rotate(
    _ values: inout [Float], features: Int, _ window: Range<Int>, headWidth: Int, offset: Int,
    _ description: RotaryDescription, _ cosines: [Float], _ sines: [Float], isInverse: Bool
  ) {
    let pairs = description.width / 2
    // Where the members of a pair are, and where they are put.
    let before = description.pairing == .halves ? (step: 1, apart: pairs) : (step: 2, apart: 1)
    let after = description.pairing == .adjacent ? (step: 2, apart: 1) : (step: 1, apart: pairs)
    let (from, to) = isInverse ? (after, before) : (before, after)
    let direction: Float = isInverse ? -1 : 1
    var turned = [Float](repeating: 0, count: description.width)
    for (position, token) in window.enumerated() {
      for head in stride(from: token * features, to: (token + 1) * features, by: headWidth) {
        let first = head + offset
        for pair in 0..<pairs {
          let place = first + pair * from.step
          let (a, b) = (values[place], values[place + from.apart])
          let cosine = cosines[position * pairs + pair]
          let sine = direction * sines[position * pairs + pair]
          turned[pair * to.step] = a * cosine - b * sine
          turned[pair * to.step + to.apart] = b * cosine + a * sine
        }
        for index in 0..<description.width { values[first + index] = turned[index] }
      }
    }
  }
}
