import Foundation
import Testing

@testable import Model

/// Frequencies and slopes, worked out by hand from the formulas.
@Suite struct RotaryTests {
  private func frequencies(
    _ scaling: RotaryScaling, width: Int = 4, base: Double = 100, length: Int = 8
  ) -> [Double] {
    RotaryDescription(width: width, pairing: .halves, base: base, scaling: scaling)
      .frequencies(windowLength: length)
  }

  private func expect(_ found: [Double], _ wanted: [Double]) {
    #expect(found.count == wanted.count)
    for (one, other) in zip(found, wanted) { #expect(abs(one - other) < 1e-12) }
  }

  @Test func plain() { expect(frequencies(.none), [1, 0.1]) }

  @Test func linear() { expect(frequencies(.linear(factor: 4)), [0.25, 0.025]) }

  @Test func dynamicScalingGrowsWithTheWindow() {
    let scaling = RotaryScaling.dynamic(factor: 3, context: 8)
    expect(frequencies(scaling, length: 8), [1, 0.1])
    // 3 * 16 / 8 - 2 = 4; 4^(4 / 2) = 16 times the base: 100 becomes 1600, of which the root is 40.
    expect(frequencies(scaling, length: 16), [1, 1.0 / 40])
  }

  @Test func llama3KeepsFastAndDividesSlowPairs() {
    // Turns within 20π positions: 10 and 1. Those of 4 and more stay, of 1 and fewer are divided.
    let context = 62_832
    let scaling = RotaryScaling.llama3(
      factor: 8, lowFactor: 1, highFactor: 4, context: context)
    expect(frequencies(scaling, base: 1e-2).map { $0 }, [1, 10])
    let slow = RotaryScaling.llama3(factor: 8, lowFactor: 1, highFactor: 4, context: 6)
    expect(frequencies(slow), [1.0 / 8, 0.1 / 8])
    // Halfway between: turns are 16 / 2π = 2.5465; the share that stays is (2.5465 - 1) / 3.
    let share = (16 / (2 * Double.pi) - 1) / 3
    let middle = RotaryScaling.llama3(factor: 8, lowFactor: 1, highFactor: 4, context: 16)
    expect(frequencies(middle), [(1 - share) / 8 + share, 0.1 / 8])
  }

  @Test func yarnBlendsBetweenTwoPairs() {
    // With base 16 and width 4, pair(turns) = 4 ln(context / 2π turns) / (2 ln 16). A context of 32π turns
    // 16 times at pair 0 and once at pair 2: pair 1 is halfway.
    let context = Int((32 * Double.pi).rounded())
    let yarn = RotaryScaling.Yarn(
      factor: 4, magnitude: 1, fastTurns: Double(context) / (2 * .pi),
      slowTurns: Double(context) / (2 * .pi) / 16, truncates: false, context: context)
    expect(frequencies(.yarn(yarn), base: 16), [1, 0.25 * 0.5 + 0.25 / 4 * 0.5])
  }

  @Test func magnitudeOfYarn() {
    #expect(RotaryScaling.Yarn.magnitude(factor: 1, weight: 1) == 1)
    #expect(abs(RotaryScaling.Yarn.magnitude(factor: exp(1), weight: 2) - 1.2) < 1e-12)
  }

  @Test func longRopeHasTwoLists() {
    let scaling = RotaryScaling.longRope(
      .init(short: [1, 2], long: [4, 5], magnitude: 1.5, context: 8))
    expect(frequencies(scaling, length: 8), [1, 0.05])
    expect(frequencies(scaling, length: 9), [0.25, 0.02])
    #expect(scaling.magnitude == 1.5)
  }

  @Test func slopesOfLinearBiases() {
    expect(LinearBias.slopes(heads: 2), [1.0 / 16, 1.0 / 256])
    // Of a power of two first, then every other one of twice as many.
    expect(LinearBias.slopes(heads: 3), [1.0 / 16, 1.0 / 256, 1.0 / 4])
    expect(
      LinearBias.slopes(heads: 6),
      [1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256, 1.0 / 2, 1.0 / 8])
  }
}
