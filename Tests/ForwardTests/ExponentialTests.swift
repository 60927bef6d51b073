import Formats
import Foundation
import Testing

@testable import Forward

/// The kernels of softmax and of activations, at every level that this processor has, against Foundation's functions
/// in double precision.
@Suite struct ExponentialTests {
  private func powers(_ values: [Float], _ level: ProcessorLevel) -> (values: [Float], sum: Double)
  {
    var output = values
    var span = output.mutableSpan
    let sum = Numbers.exponentiate(&span, 0..<values.count, largest: 0, level: level)
    return (output, sum)
  }

  /// Distance in units of the last place of the exact result, those of the least normal number below it.
  private func error(_ found: Float, _ exact: Double) -> Double {
    let unit = Double(max(Float(exact), .leastNormalMagnitude).ulp)
    return abs(Double(found) - exact) / unit
  }

  @Test(arguments: ProductTests.levels)
  func powersAreWithinAUnitOfTheLastPlace(_ level: ProcessorLevel) {
    // Evenly, where results are normal; every power of two, where the remainder is the largest; and near zero.
    var inputs = (0..<200_000).map { Float($0) * (176 / 200_000) - 87.5 }
    for n in -126...127 {
      let border = Float((Double(n) + 0.5) * log(2))
      inputs += [border.nextDown, border, border.nextUp, Float(Double(n) * log(2))]
    }
    for exponent in 1...40 { inputs += [Float(sign: .plus, exponent: -exponent, significand: 1)] }
    let found = powers(inputs, level)
    var worst = 0.0
    for (input, power) in zip(inputs, found.values) {
      worst = max(worst, error(power, exp(Double(input))))
    }
    #expect(worst < 1)
    let exact = inputs.reduce(0.0) { $0 + exp(Double($1)) }
    #expect(abs(found.sum / exact - 1) < 1e-6)
    #expect(found.values == powers(inputs, .baseline).values)
  }

  @Test(arguments: ProductTests.levels)
  func powersAtTheEndsOfWhatFloatsHold(_ level: ProcessorLevel) {
    let inputs: [Float] = [
      0, -0.0, -.infinity, .infinity, -1e30, 1e30, 88.7228, 88.73, -87.4, -95, -103.9, -104.1, .nan,
    ]
    let found = powers(inputs, level).values
    #expect(Array(found[..<6]) == [1, 1, 0, .infinity, 0, .infinity])
    #expect(error(found[6], exp(Double(inputs[6]))) < 1 && found[7] == .infinity)
    // Numbers below the least normal one, to the last bit.
    for place in 8...10 { #expect(error(found[place], exp(Double(inputs[place]))) <= 1) }
    #expect(found[9].isSubnormal && found[10] > 0 && found[11] == 0 && found[12].isNaN)
  }

  /// Every number of elements around eight, from any place on; what stands beside them stays.
  @Test(arguments: ProductTests.levels)
  func rangesAreKept(_ level: ProcessorLevel) {
    for count in 0...17 {
      for first in [0, 3] {
        let all = (0..<first + count + 2).map { Float($0) / 4 - 2 }
        let range = first..<first + count
        var output = all
        var span = output.mutableSpan
        let most = Numbers.multiply(&span, range, by: -0.5, level: level)
        #expect(most == (range.map { all[$0] * -0.5 }.max() ?? -.infinity))
        let sum = Numbers.exponentiate(&span, range, largest: 1, level: level)
        let exact = range.map { exp(Double(all[$0]) * -0.5 - 1) }
        #expect(abs(sum - exact.reduce(0, +)) < 1e-6)
        for (index, value) in output.enumerated() {
          let expected = range.contains(index) ? exact[index - first] : Double(all[index])
          #expect(abs(Double(value) - expected) < 1e-6)
        }
      }
    }
  }

  /// `x σ(slope (x + cubic x³))` as it is defined, and far out.
  @Test(
    arguments: ProductTests.levels, [(1, 0), (1.702, 0), (1.5957692, 0.044715)] as [(Float, Float)])
  func logisticUnits(_ level: ProcessorLevel, _ form: (slope: Float, cubic: Float)) {
    let inputs = (-4000...4000).map { Float($0) / 250 } + [-1e6, 1e6, -3e38, 3e38]
    var output = inputs
    var span = output.mutableSpan
    Numbers.logisticUnits(&span, slope: form.slope, cubic: form.cubic, level: level)
    var worst = 0.0
    for (input, value) in zip(inputs, output) {
      let x = Double(input)
      let inner = Double(form.slope) * (x + Double(form.cubic) * x * x * x)
      let exact = x / (1 + exp(-inner))
      let difference = abs(Double(value) - exact) / max(1e-3, abs(exact))
      worst = max(worst, difference.isNaN ? .infinity : difference)
    }
    #expect(worst < 5e-6)
  }
}
