import Formats
import Testing

@testable import Forward

/// The kernel that all linear layers are made of.
@Suite struct ProductTests {
  private func product(
    _ inputs: [Float], tokens: Int, _ weights: [Float], rows: Int, k: Int, _ level: ProcessorLevel
  ) -> [Float] {
    var output = [Float](repeating: .nan, count: tokens * rows)
    var span = output.mutableSpan
    Numbers.product(
      inputs.span, tokens: tokens, weights: weights.span, rows: rows, k: k, into: &span,
      level: level)
    return output
  }

  @Test(arguments: [1, 7, 8, 9, 31, 64, 100])
  func equalsSumsOfProducts(k: Int) {
    var noise = Noise(seed: 7)
    for (tokens, rows) in [(1, 1), (3, 5), (4, 2), (9, 3)] {
      let inputs = (0..<tokens * k).map { _ in Float(noise.bell()) }
      let weights = (0..<rows * k).map { _ in Float(noise.bell()) }
      let found = product(inputs, tokens: tokens, weights, rows: rows, k: k, .baseline)
      for token in 0..<tokens {
        for row in 0..<rows {
          let exact = (0..<k).reduce(0.0) {
            $0 + Double(inputs[token * k + $1]) * Double(weights[row * k + $1])
          }
          #expect(abs(Double(found[token * rows + row]) - exact) < 1e-5 * Double(k))
        }
      }
      let highest = product(inputs, tokens: tokens, weights, rows: rows, k: k, .highest)
      #expect(highest == found)
      // Whatever else is multiplied.
      let last = Array(inputs.suffix(k))
      let alone = product(last, tokens: 1, weights, rows: rows, k: k, .baseline)
      #expect(alone == Array(found.suffix(rows)))
    }
  }
}
