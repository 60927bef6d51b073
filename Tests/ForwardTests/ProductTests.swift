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

  @Test(arguments: [1, 7, 8, 40, 71])
  func mixesRows(width: Int) {
    var noise = Noise(seed: 8)
    let (count, stride) = (5, width + 3)
    let rows = (0..<2 + count * stride).map { _ in Float(noise.bell()) }
    let weights = (0..<1 + count).map { _ in Float(noise.bell()) }
    func mix(_ level: ProcessorLevel) -> [Float] {
      var output = [Float](repeating: 7, count: width + 2)
      var span = output.mutableSpan
      Numbers.mix(
        weights.span, from: 1, rows: rows.span, from: 2, stride: stride, count: count,
        width: width, into: &span, at: 1, level: level)
      return output
    }
    let found = mix(.baseline)
    // What lies before and behind stays.
    #expect(found.first == 7 && found.last == 7)
    for feature in 0..<width {
      let exact = (0..<count).reduce(0.0) {
        $0 + Double(weights[1 + $1]) * Double(rows[2 + $1 * stride + feature])
      }
      #expect(abs(Double(found[1 + feature]) - exact) < 1e-5)
    }
    let highest = mix(.highest)
    #expect(highest == found)
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
