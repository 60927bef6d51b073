import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// A checkpoint and dumps for one test, and what decant measures of them.
final class MeasuredFolder {
  private let folder: TemporaryFolder
  let source: String

  /// - Parameter config: `config.json`; a llama where none is given.
  init(_ tensors: [TestTensor], config: String = #"{"model_type": "llama"}"#) throws {
    folder = try TemporaryFolder()
    source = folder.path + "/source"
    try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: false)
    try writeSafetensors(tensors, to: source + "/model.safetensors")
    try folder.write("source/config.json", Array(config.utf8))
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try folder.write(name, bytes)
    return path(name)
  }

  /// Writes a dump and returns its path.
  func dump(_ tensors: TestTensor..., as name: String = "dump.safetensors") throws -> String {
    try writeSafetensors(tensors, to: path(name))
    return path(name)
  }

  func run(_ dumps: [String] = [], _ options: MeasureOptions = MeasureOptions()) throws
    -> StatisticsRun
  {
    try StatisticsRun(Checkpoint(path: source), dumps: dumps, options: options)
  }

  func measure(
    _ dumps: [String] = [], _ options: MeasureOptions = MeasureOptions(), threads: Int = 2
  ) throws -> [TensorStatistics] {
    try run(dumps, options).run(
      RunContext(threads: threads))
  }

  func measure(
    _ name: String, _ dumps: [String] = [], _ options: MeasureOptions = MeasureOptions()
  ) throws -> TensorStatistics {
    try #require(try measure(dumps, options).first { $0.name == name }, "no '\(name)'")
  }
}

extension MeasureOptions {
  static var withChannels: MeasureOptions {
    var options = MeasureOptions()
    options.keepsChannels = true
    return options
  }

  static var keepingGoing: MeasureOptions {
    var options = MeasureOptions()
    options.keepsGoing = true
    return options
  }
}

extension TensorStatistics {
  func error(_ scheme: QuantizationScheme.Name, bits: Int) throws -> QuantizationError {
    try #require(roundTrips.first { $0.scheme.name == scheme && $0.bits == bits }).error
  }

  /// Whether both are equal to the last bit.
  func isIdentical(to other: TensorStatistics) -> Bool {
    name == other.name && distribution == other.distribution && channels == other.channels
      && outputChannels == other.outputChannels && tokens == other.tokens
      && headMagnitudes == other.headMagnitudes
      && roundTrips.map(\.error) == other.roundTrips.map(\.error)
      && outliers?.massiveCount == other.outliers?.massiveCount
      && outliers?.massive == other.outliers?.massive
      && everyChannel?.meanSquare == other.everyChannel?.meanSquare
  }
}

/// `[rows, columns]` as `[columns, rows]`.
func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
  (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }
}

/// Normal values that BF16 can hold.
func randomValues(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    Float(bitPattern: (generator.gaussian() * 0.05).bitPattern & 0xFFFF_0000)
  }
}

func isClose(_ value: Double?, _ expected: Double, relative: Double = 1e-12) -> Bool {
  guard let value else { return false }
  return (value - expected).magnitude <= relative * max(expected.magnitude, 1e-300)
}
