import Formats
import Foundation
import Stats
@_exported import TestSupport

@testable import Convert

extension SplitMix64 {
  mutating func gaussian() -> Float { Float(normal()) }
}

extension TestTensor {
  var dtype: DType { DType(rawValue: type)! }

  init(_ name: String, _ dtype: DType, _ shape: [Int], bytes: [UInt8] = []) {
    self.init(name, dtype.rawValue, shape, bytes: bytes)
  }

  init(_ name: String, _ type: ScaleType = .f32, _ shape: [Int], values: [Float]) {
    var bytes = [UInt8](repeating: 0, count: values.count * type.byteCount)
    ElementEncoder.encode(values, count: values.count, as: type, into: &bytes)
    self.init(name, type.dtype, shape, bytes: bytes)
  }

  /// Floats in no order, the same ones again and again: far faster than random ones. Their number is a
  /// prime, so that no row or group is like the next, and every seed starts at another.
  init(repeating name: String, _ dtype: DType, _ shape: [Int], seed: UInt64) {
    guard let type = ScaleType(dtype) else {
      self.init(random: name, dtype, shape, seed: seed)
      return
    }
    let start = Int(seed) * 97 % Self.numbers.count
    let values = Array(Self.numbers[start...] + Self.numbers[..<start])
    let period = TestTensor(name, type, [values.count], values: values).bytes
    let byteCount = shape.reduce(1, *) * type.byteCount
    var bytes: [UInt8] = []
    while bytes.count < byteCount { bytes += period }
    self.init(name, dtype, shape, bytes: Array(bytes.prefix(byteCount)))
  }

  private static let numbers: [Float] = {
    var generator = SplitMix64(seed: 1)
    return (0..<4093).map { _ in generator.gaussian() * 0.05 }
  }()

  /// Finite random elements of any type.
  init(random name: String, _ dtype: DType, _ shape: [Int], seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let count = shape.reduce(1, *)
    if let type = ScaleType(dtype) {
      self.init(name, type, shape, values: (0..<count).map { _ in generator.gaussian() * 0.05 })
    } else if dtype.isFloat8 {
      // Exponents below the special codes of every 8-bit type.
      self.init(
        name, dtype, shape,
        bytes: (0..<count).map { _ in
          UInt8.random(in: 1..<0x70, using: &generator)
            | (Bool.random(using: &generator) ? 0x80 : 0)
        })
    } else {
      let byteCount = count * dtype.bitCount / 8
      self.init(name, dtype, shape, bytes: [UInt8](repeating: 1, count: byteCount))
    }
  }
}

/// Converts a checkpoint directory and returns the result.
///
/// - Parameter arrangement: `.asStored` for tests of what is done to tensors, whatever their names.
@discardableResult
func convert(
  _ source: String, to output: String, options: ConversionOptions = ConversionOptions(),
  arrangement: TensorArrangement = .mlx, threads: Int = 2, replacing: Bool = false,
  cancellation: Cancellation = Cancellation()
) throws -> Converter.Result {
  let plan = try ConversionPlan(
    Checkpoint(path: source), options: options, arrangement: arrangement)
  return try Conversion(plan, target: OutputTarget(path: output)).run(
    replacing: replacing, RunContext(threads: threads, cancellation: cancellation))
}

func validate(_ path: String, against source: String? = nil) throws -> [Finding] {
  try Validator(path: path).run(
    against: source, RunContext(threads: 2))
}

func unpack(_ path: String, to output: String, type: ScaleType? = nil) throws {
  let unpacker = try Unpacker(
    PackedCheckpoint(Checkpoint(path: path)), target: OutputTarget(path: output), type: type,
    shardLimit: 5_000_000_000)
  try unpacker.run(
    replacing: false, RunContext(threads: 2))
}

/// The elements of a tensor as `Float`.
func values(_ name: String, in checkpoint: Checkpoint) throws -> [Float] {
  let tensor = checkpoint.tensors.first { $0.name == name }!
  var bytes = [UInt8](repeating: 0, count: tensor.info.byteCount)
  try checkpoint.read(0..<bytes.count, of: tensor, into: &bytes)
  var values = [Float](repeating: 0, count: tensor.info.elementCount)
  precondition(
    ElementDecoder.decode(bytes, count: values.count, as: tensor.info.dtype, into: &values))
  return values
}
