import Convert
import Formats
import Foundation
import Stats

/// Times the loops that a conversion and its measurements spend their time in, as multiples of
/// copying the same source bytes: the ratio says what a loop costs, whatever the machine.
///
/// With `headers FOLDER` it writes checkpoints with the headers of a large model instead.
@main
struct Benchmarks {
  private static let count = 1 << 22
  private static let rounds = 7

  static func main() throws {
    if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "headers" {
      return try SparseCheckpoint.write(into: CommandLine.arguments[2])
    }
    let weights = (0..<count).map { gaussian($0) * 0.02 }
    var bytes = [UInt8](repeating: 0, count: 2 * count)
    ElementEncoder.encode(weights, count: count, as: .bf16, into: &bytes)

    var copy = bytes
    let memcpy = time { copy.replaceSubrange(0..<bytes.count, with: bytes) }
    print("\(count) BF16 weights, best of \(rounds); memcpy of their bytes is 1")

    var values = [Float](repeating: 0, count: count)
    report("decode", memcpy) {
      _ = ElementDecoder.decode(bytes, count: count, as: .bf16, into: &values)
    }
    var accumulator = ValueAccumulator(
      PatternValues(smallestNormal: .leastNormalMagnitude) { HalfPrecision.bf16ToFloat($0) })
    report("count patterns", memcpy) { accumulator.add(patterns: bytes, count: count) }
    var hash = XXH64()
    report("XXH64", memcpy) { hash.update(bytes, 0..<bytes.count) }

    var codes = [UInt8](repeating: 0, count: count)
    var scales = [Float](repeating: 0, count: count / 64)
    var biases = scales
    for method in QuantizationMethod.allCases {
      for bits in [2, 4, 8] {
        guard let layout = AffineLayout(bits: bits, groupSize: 64) else { continue }
        var quantizer = GroupQuantizer(layout: layout, method: method, scaleType: .bf16)
        report("quantize, \(method.rawValue), \(bits) bits", memcpy) {
          _ = quantizer.quantize(
            weights, groupCount: count / 64, codes: &codes, scales: &scales, biases: &biases)
        }
      }
    }
  }

  /// Roughly normal, and the same in every run: the sum of twelve numbers of a fixed sequence.
  private static func gaussian(_ index: Int) -> Float {
    var state = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    var sum: Float = -6
    for _ in 0..<12 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      sum += Float(state >> 40) / 0x1p24
    }
    return sum
  }

  private static func report(_ name: String, _ unit: Double, _ body: () -> Void) {
    print(String(format: "%8.1f  ", time(body) / unit) + name)
  }

  private static func time(_ body: () -> Void) -> Double {
    (0..<rounds).map { _ in
      let start = ContinuousClock.now
      body()
      return (ContinuousClock.now - start) / .seconds(1)
    }
    .min()!
  }
}
