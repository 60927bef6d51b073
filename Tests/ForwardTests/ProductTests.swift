import Formats
import Testing

@testable import Forward

/// The kernel that all linear layers are made of, at every level that this processor has.
@Suite struct ProductTests {
  static let levels = ProcessorLevel.allCases.filter { $0 <= .highest }

  private struct Factors {
    let (tokens, rows, k, stride): (Int, Int, Int, Int)
    let inputs: [Float]
    /// With something in between that must not count.
    let weights: [Float]

    init(tokens: Int, rows: Int, k: Int, stride: Int, _ noise: inout Noise) {
      (self.tokens, self.rows, self.k, self.stride) = (tokens, rows, k, stride)
      inputs = (0..<tokens * k).map { _ in Float(noise.bell()) }
      weights = (0..<(rows - 1) * stride + k).map { index in
        index % stride < k ? Float(noise.bell()) : .nan
      }
    }

    func product(_ level: ProcessorLevel, token: Int? = nil) -> [Float] {
      let used = token.map { Array(inputs[$0 * k..<($0 + 1) * k]) } ?? inputs
      var output = [Float](repeating: .nan, count: used.count / k * rows)
      var panels: [Float] = []
      var span = output.mutableSpan
      Numbers.product(
        used.span, tokens: used.count / k, weights: weights.span, rows: rows, k: k,
        stride: stride, panels: &panels, into: &span, level: level)
      return output
    }

    func exact(_ token: Int, _ row: Int) -> Double {
      (0..<k).reduce(0.0) {
        $0 + Double(inputs[token * k + $1]) * Double(weights[row * stride + $1])
      }
    }
  }

  /// Around the numbers of tokens, rows and inputs that are done at a time.
  @Test(arguments: levels, [1, 7, 8, 31, 100, 255, 256, 257, 600])
  func equalsSumsOfProducts(_ level: ProcessorLevel, k: Int) {
    var noise = Noise(seed: 7)
    let sizes = [(1, 1, 0), (3, 5, 3), (4, 16, 0), (7, 17, 1), (6, 33, 0), (123, 2, 0)]
    for (tokens, rows, gap) in sizes {
      let factors = Factors(tokens: tokens, rows: rows, k: k, stride: k + gap, &noise)
      let found = factors.product(level)
      var worst = 0.0
      for token in 0..<tokens {
        for row in 0..<rows {
          let difference = Double(found[token * rows + row]) - factors.exact(token, row)
          worst = max(worst, difference.isNaN ? .infinity : abs(difference))
        }
      }
      #expect(worst < 1e-6 * Double(k + 3), "\(tokens) tokens, \(rows) rows")
      // Whatever else is multiplied.
      #expect(factors.product(level, token: tokens - 1) == Array(found.suffix(rows)))
    }
  }

  /// Any rows and inputs of panels that were laid out once, of tokens that stand apart. Sums over all inputs have
  /// the bits of those that nothing was laid out for.
  @Test(arguments: levels, [5, 256, 300, 520])
  func panelsGiveTheSame(_ level: ProcessorLevel, k: Int) {
    var noise = Noise(seed: 8)
    let (rows, tokens, gap) = (37, 7, 3)
    let factors = Factors(tokens: tokens, rows: rows, k: k, stride: k, &noise)
    let apart = (0..<tokens).flatMap { token in
      Array(factors.inputs[token * k..<(token + 1) * k]) + [Float](repeating: .nan, count: gap)
    }
    var panels = Numbers.Panels()
    panels.pack(
      factors.weights, from: 0, rows: rows, k: k, rowStride: k, inputStride: 1, level: level)
    // The other way round: inputs apart, rows side by side.
    let turned = (0..<k).flatMap { input in (0..<rows).map { factors.weights[$0 * k + input] } }
    var others = Numbers.Panels()
    others.pack(turned, from: 0, rows: rows, k: k, rowStride: 1, inputStride: rows, level: level)
    let whole = factors.product(level)
    for used in [0..<rows, 16..<rows, 16..<17, 32..<33] {
      for inputs in [0..<k, 1..<k, 0..<k - 1, k / 2..<k / 2 + 1] {
        var found = [Float](repeating: .nan, count: tokens * used.count + 2)
        var other = found
        for (panels, isFirst) in [(panels, true), (others, false)] {
          var output = found
          panels.product(
            apart, from: inputs.lowerBound, tokens: tokens, stride: k + gap, rows: used,
            inputs: inputs, into: &output, at: 2, level: level)
          if isFirst { found = output } else { other = output }
        }
        #expect(Array(found.dropFirst(2)) == Array(other.dropFirst(2)))
        var worst = 0.0
        for token in 0..<tokens {
          for row in used {
            let exact = inputs.reduce(0.0) {
              $0 + Double(factors.inputs[token * k + $1]) * Double(factors.weights[row * k + $1])
            }
            let own = found[2 + token * used.count + row - used.lowerBound]
            worst = max(worst, own.isNaN ? .infinity : abs(Double(own) - exact))
            if inputs == 0..<k { #expect(own == whole[token * rows + row]) }
          }
        }
        #expect(worst < 1e-6 * Double(k + 3), "rows \(used), inputs \(inputs)")
      }
    }
  }

  /// What is rounded before it is added has the same bits at every level: those of sums in the order that is
  /// promised.
  @Test(arguments: levels, [1, 6, 255, 256, 257, 600])
  func productsThatAreNotFusedAreTheSameEverywhere(_ level: ProcessorLevel, k: Int) {
    var noise = Noise(seed: 9)
    let (rows, tokens) = (37, 14)
    let factors = Factors(tokens: tokens, rows: rows, k: k, stride: k, &noise)
    var panels = Numbers.Panels()
    panels.pack(
      factors.weights, from: 0, rows: rows, k: k, rowStride: k, inputStride: 1, level: level)
    var found = [Float](repeating: .nan, count: tokens * rows)
    panels.product(
      factors.inputs, from: 0, tokens: tokens, stride: k, rows: 0..<rows, inputs: 0..<k,
      fused: false, into: &found, level: level)
    for token in 0..<tokens {
      for row in 0..<rows {
        var sum: Float?
        for first in stride(from: 0, to: k, by: 256) {
          let part = (first..<min(first + 256, k)).reduce(Float(0)) {
            $0 + factors.inputs[token * k + $1] * factors.weights[row * k + $1]
          }
          sum = sum.map { $0 + part } ?? part
        }
        #expect(found[token * rows + row] == sum, "token \(token), row \(row)")
      }
    }
  }
}
