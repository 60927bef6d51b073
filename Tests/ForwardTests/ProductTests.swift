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
      var span = output.mutableSpan
      Numbers.product(
        used.span, tokens: used.count / k, weights: weights.span, rows: rows, k: k,
        stride: stride, into: &span, level: level)
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
}
