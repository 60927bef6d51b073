import Formats
import Foundation

/// Quantizes a file of F32 numbers to blocks of a GGUF type, for `.ci/peers/check_blocks.py`, and says how long
/// it took on one thread.
struct BlockFile {
  static let options: Set<String> = ["inputs", "importance"]

  private let quantizer: BlockQuantizer
  private let weights: [Float]
  private let importance: [Float]
  private let target: String

  init(_ options: Options) throws {
    let name = options.operands[0]
    guard let type = GGMLType.allCases.first(where: { $0.name == name }),
      let quantizer = BlockQuantizer(type)
    else { throw BenchmarkError("no blocks of type '\(name)' are written") }
    self.quantizer = quantizer
    let inputs = try options.count("inputs", default: type.blockLength)
    weights = try Self.numbers(options.operands[1])
    importance = try options["importance"].map(Self.numbers) ?? []
    target = options.operands[2]
    guard inputs % type.blockLength == 0, weights.count % inputs == 0,
      importance.isEmpty || importance.count == inputs
    else {
      throw BenchmarkError(
        "\(weights.count) weights are no rows of \(inputs), or \(importance.count) numbers no importance"
      )
    }
  }

  func run() throws {
    let type = quantizer.layout.type
    let count = weights.count / type.blockLength
    var bytes = [UInt8](repeating: 0, count: count * type.blockByteCount)
    var scratch = BlockQuantizer.Scratch()
    let time = ContinuousClock().measure {
      quantizer.quantize(
        weights, blockCount: count, importance: importance, scratch: &scratch, into: &bytes)
    }
    try Data(bytes).write(to: URL(filePath: target))
    print(time / .seconds(1))
  }

  private static func numbers(_ path: String) throws -> [Float] {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var numbers = [Float](repeating: 0, count: bytes.count / 4)
    guard ElementDecoder.decode(bytes, count: numbers.count, as: .f32, into: &numbers) else {
      throw BenchmarkError("\(path) has no F32 numbers")
    }
    return numbers
  }
}
