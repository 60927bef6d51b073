import Formats

@testable import Convert

/// Gram matrices at hand, by the weight whose inputs they are of.
struct TestGrams: GramSource {
  var path: String { "grams" }
  var matrices: [String: GramMatrix]

  func key(ofInputsOf weight: String) -> GramKey? {
    matrices[weight].map { GramKey(name: weight, order: $0.order) }
  }

  func gram(ofInputsOf weight: String) throws -> GramMatrix? { matrices[weight] }
}

extension GramMatrix {
  /// Of inputs that go together: a few directions that all channels share, and some noise in each; a few
  /// channels are large, and one is always 0.
  init(correlated order: Int, tokens: Int, seed: UInt64) {
    var noise = Noise(seed: seed)
    let directions = (0..<6).map { _ in (0..<order).map { _ in noise.bell() } }
    let inputs = (0..<tokens).map { _ in
      let shares = directions.map { _ in noise.bell() }
      return (0..<order).map { channel -> Double in
        guard channel != 3 else { return 0 }
        let sum = zip(shares, directions).reduce(0.3 * noise.bell()) { $0 + $1.0 * $1.1[channel] }
        return channel % 29 == 7 ? 12 * sum : sum
      }
    }
    self.init(inputs: inputs)
  }

  init(inputs: [[Double]]) {
    let order = inputs[0].count
    var values: [Float] = []
    for row in 0..<order {
      for column in 0...row {
        values.append(
          Float(inputs.reduce(0) { $0 + $1[row] * $1[column] } / Double(inputs.count)))
      }
    }
    self.init(order: order, tokenCount: inputs.count, values: values)
  }

  init(identity order: Int) {
    let values = (0..<order).flatMap { row in
      (0...row).map { Float($0 == row ? 1 : 0) }
    }
    self.init(order: order, tokenCount: order, values: values)
  }

  var rows: [[Double]] {
    (0..<order).map { row in (0..<order).map { Double(self[row, $0]) } }
  }
}
