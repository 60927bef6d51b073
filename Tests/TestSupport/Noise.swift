import Foundation

/// Numbers without order that are the same in every run: Marsaglia's xorshift.
package struct Noise: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  package mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// Near to normal: twelve uniform numbers, their mean taken off.
  package mutating func bell() -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
  }
}
