import Foundation

/// Rotary positions: pairs of the leading features of a head are turned by angles that grow with the
/// position. Su et al., arXiv 2104.09864, equation 15.
package struct RotaryDescription: Sendable, Equatable {
  package enum Pairing: Sendable, Equatable {
    /// Features j and j + width / 2.
    case halves
    /// Features 2j and 2j + 1.
    case adjacent
    /// Likewise, but all first members are left before all second ones.
    case adjacentToHalves
  }

  /// Features that are turned; even.
  package let width: Int
  package let pairing: Pairing
  package let base: Double
  package let scaling: RotaryScaling

  /// What the angles grow by with each position, for each pair, in a window of `length` tokens.
  package func frequencies(windowLength length: Int) -> [Double] {
    var base = base
    if case .dynamic(let factor, let context) = scaling, length > context {
      let stretch = factor * Double(length) / Double(context) - (factor - 1)
      base *= pow(stretch, Double(width) / Double(width - 2))
    }
    let plain = (0..<width / 2).map { pow(base, -2 * Double($0) / Double(width)) }
    return scaling.scaled(plain, width: width, base: base, windowLength: length)
  }
}
