import Formats
import Foundation
import Stats
import TestModels
import Testing

@testable import Convert

/// What conversions write, tensor for tensor, as checksums that were taken once: whoever moves code
/// must not move a bit. A change of method takes new ones, and says so.
@Suite struct GoldenOutputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The configuration's `model_type` of a synthetic family; nil for the sample model.
    var family: String?
    var options = ConversionOptions()
    var adapter: PoolingConvention?
    /// As `checksum` gives it.
    let expected: String
  }

  private static func options(
    _ bits: Int, _ groupSize: Int, _ method: QuantizationMethod
  ) -> ConversionOptions {
    var options = ConversionOptions()
    (options.bits, options.groupSize, options.method) = (bits, groupSize, method)
    return options
  }

  static let cases = [
    Case(
      testDescription: "sample, 2 bits, min-max", options: options(2, 32, .minmax),
      expected: "06c1eb1c492c61f3"),
    Case(
      testDescription: "sample, 4 bits, search", options: options(4, 64, .search),
      expected: "a462f115e7337740"),
    Case(
      testDescription: "sample with an adapter", options: options(4, 32, .minmax),
      adapter: .mean, expected: "4f98c46e85b6222c"),
    Case(
      testDescription: "input-major matrices", family: "gpt2", options: options(3, 32, .search),
      expected: "ee91f3a335099ac9"),
    Case(
      testDescription: "input-major experts", family: "llama4", options: options(5, 32, .search),
      expected: "9c460dc211e50d7a"),
    Case(
      testDescription: "8-bit floats", family: "deepseek_v3", options: options(6, 32, .search),
      expected: "828350c9fadd8d3f"),
  ]

  @Test(arguments: cases) func isWhatItWas(_ testCase: Case) throws {
    let folder = try TemporaryFolder()
    let source = try testCase.family.map { try write($0, in: folder) } ?? SampleModel.path
    let output = folder.path + "/out.safetensors"
    let adapters = try testCase.adapter.map {
      try AdapterSet([.init(path: samplesFolder + "/adapter")], pooling: $0)
    }
    let plan = try ConversionPlan(
      Checkpoint(path: source), options: testCase.options, arrangement: .asStored,
      adapters: adapters)
    _ = try Conversion(plan, target: OutputTarget(path: output)).run(
      replacing: false, RunContext(threads: 2))
    let found = try Self.checksum(of: output)
    #expect(found == testCase.expected)
  }

  /// XXH64 over a line `name type shape checksum` for every tensor, by name.
  private static func checksum(of path: String) throws -> String {
    let lines = try NaiveFile(path: path).tensors.sorted { $0.key < $1.key }.map { name, tensor in
      "\(name) \(tensor.type) \(tensor.shape) \(XXH64.digest(tensor.bytes).hexDigits)\n"
    }
    return XXH64.digest(Array(lines.joined().utf8)).hexDigits
  }

  private func write(_ type: String, in folder: TemporaryFolder) throws -> String {
    let family = try #require(
      SyntheticFamily.all.first { $0.config["model_type"]?.stringValue == type })
    let source = folder.path + "/source"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
    try writeSafetensors(
      family.tensors.enumerated().map { index, tensor in
        TestTensor(random: tensor.name, tensor.dtype, tensor.shape, seed: UInt64(index))
      }, to: source + "/model.safetensors")
    try folder.write("source/config.json", Array(family.config.prettyText.utf8))
    return source
  }
}
