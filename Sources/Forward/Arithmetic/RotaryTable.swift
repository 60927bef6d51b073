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
  func rotate(
    _ activations: Activations, window: Range<Int>, headWidth: Int, offset: Int = 0
  ) {
    Self.rotate(
      &activations.values, features: activations.features, window, headWidth: headWidth,
      offset: offset, description, cosines, sines)
  }

  private static func rotate(
    _ values: inout [Float], features: Int, _ window: Range<Int>, headWidth: Int, offset: Int,
    _ description: RotaryDescription, _ cosines: [Float], _ sines: [Float]
  ) {
    let pairs = description.width / 2
    let (step, apart) = description.pairing == .halves ? (1, pairs) : (2, 1)
    var turned = [Float](repeating: 0, count: description.width)
    for (position, token) in window.enumerated() {
      for head in stride(from: token * features, to: (token + 1) * features, by: headWidth) {
        let first = head + offset
        for pair in 0..<pairs {
          let (a, b) = (values[first + pair * step], values[first + pair * step + apart])
          let (cosine, sine) = (cosines[position * pairs + pair], sines[position * pairs + pair])
          let (x, y) = (a * cosine - b * sine, b * cosine + a * sine)
          switch description.pairing {
          case .halves, .adjacentToHalves: (turned[pair], turned[pairs + pair]) = (x, y)
          case .adjacent: (turned[2 * pair], turned[2 * pair + 1]) = (x, y)
          }
        }
        for index in 0..<description.width { values[first + index] = turned[index] }
      }
    }
  }
}
