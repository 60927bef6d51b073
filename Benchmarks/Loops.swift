import Convert
import Formats
import Foundation
import Stats

/// Times the loops that a conversion and its measurements spend their time in, as multiples of
/// copying the same source bytes: the ratio says what a loop costs, whatever the machine.
enum Loops {
  private static let count = 1 << 22
  private static let rounds = 7

  static func run() {
    let weights = WeightNoise(seed: 1).weights(count).map { $0 * 0.02 }
    var bytes = [UInt8](repeating: 0, count: 2 * count)
    ElementEncoder.encode(weights, count: count, as: .bf16, into: &bytes)
    var table = MarkdownTable(["loop", "times a copy"], numeric: 1...1)
    var copy = bytes
    let unit = seconds { copy.replaceSubrange(0..<bytes.count, with: bytes) }
    func report(_ name: String, _ body: () -> Void) {
      table.add([name, String(format: "%.1f", seconds(body) / unit)])
    }

    var values = [Float](repeating: 0, count: count)
    report("decode") {
      _ = ElementDecoder.decode(bytes, count: count, as: .bf16, into: &values)
    }
    var counts = PatternCounts()
    report("count patterns") { counts.add(bytes, count: count) }
    var hash = XXH64()
    report("XXH64") { hash.update(bytes, 0..<bytes.count) }

    var codes = [UInt8](repeating: 0, count: count)
    var scales = [Float](repeating: 0, count: count / 64)
    var biases = scales
    for method in QuantizationMethod.allCases {
      for bits in [2, 4, 8] {
        guard let layout = AffineLayout(bits: bits, groupSize: 64) else { continue }
        var quantizer = GroupQuantizer(layout: layout, method: method, scaleType: .bf16)
        report("quantize, \(method.rawValue), \(bits) bits") {
          _ = quantizer.quantize(
            weights, groupCount: count / 64, codes: &codes, scales: &scales, biases: &biases)
        }
      }
    }
    print("\(count) BF16 weights on one thread, best of \(rounds)\n")
    print(table.text)
  }

  private static func seconds(_ body: () -> Void) -> Double {
    (0..<rounds).map { _ in ContinuousClock().measure(body) / .seconds(1) }.min()!
  }
}
