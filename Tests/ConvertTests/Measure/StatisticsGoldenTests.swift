import Foundation
import Testing

@testable import Convert
@testable import Formats

/// The sample model and its dumps, against values that NumPy 2.4.6 and SciPy 1.17.1 computed in
/// float64. `.ci/peers/check_stats.py` computes all the others again.
@Suite struct StatisticsGoldenTests {
  /// Figures of one tensor; kurtosis is `scipy.stats.kurtosis(fisher=False)`, quantiles are
  /// `numpy.quantile` at 0.1, 1, 50, 99, 99.9 and 99.99 %.
  struct Golden: Sendable, CustomTestStringConvertible {
    let name: String
    let count: Int
    let minimum: Float
    let maximum: Float
    let mean: Double
    let standardDeviation: Double
    let rootMeanSquare: Double
    let skewness: Double
    let kurtosis: Double
    let quantiles: [Double]
    let medianMagnitude: Double

    var testDescription: String { name }
  }

  static let goldens = [
    Golden(
      name: "model.layers.0.mlp.down_proj.weight", count: 49152,
      minimum: -0.346923828125, maximum: 0.36083984375,
      mean: -1.580841247535621e-06, standardDeviation: 0.07224999344525963,
      rootMeanSquare: 0.07224999346255417, skewness: -0.020934873072976107,
      kurtosis: 3.150900304406762,
      quantiles: [
        -0.23881787109375, -0.171446533203125, 0.0002447962760925293, 0.169921875,
        0.22490185546875097, 0.27026826171875484,
      ], medianMagnitude: 0.04791259765625),
    Golden(
      name: "model.layers.3.mlp.down_proj.input", count: 24576,
      minimum: -8.3359375, maximum: 8.140625,
      mean: -0.001717018683848437, standardDeviation: 0.4588645078106618,
      rootMeanSquare: 0.45886772024351585, skewness: 0.5361586305638891,
      kurtosis: 37.690988025554084,
      quantiles: [
        -3.26962890625, -1.524658203125, 2.518296241760254e-05, 1.407470703125,
        3.5458007812499517, 5.787666015624794,
      ], medianMagnitude: 0.121826171875),
    Golden(
      name: "layers.2.key", count: 4096,
      minimum: -4.16015625, maximum: 4.74609375,
      mean: -0.027494981739437208, standardDeviation: 1.0745621618908845,
      rootMeanSquare: 1.0749138634274207, skewness: -0.08651498869666022,
      kurtosis: 4.543596496844292,
      quantiles: [
        -3.995263671875, -3.11025390625, -0.011974334716796875, 2.8830078125000007,
        3.9348144531250098, 4.573335937500104,
      ], medianMagnitude: 0.5966796875),
  ]

  /// Measures the tensors of that name; of a weight its inputs too.
  private static func measure(_ name: String) throws -> [TensorStatistics] {
    let samples = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../samples").standardizedFileURL.path(percentEncoded: false)
    var options = MeasureOptions()
    options.filter = try NamePattern(name)
    let run = try StatisticsRun(
      Checkpoint(path: samples + "/small"),
      dumps: ["/small-activations.safetensors", "/small-kv.safetensors"].map { samples + $0 },
      options: options)
    return try run.run(RunContext(threads: 2))
  }

  private static func isClose(_ value: Double?, _ golden: Double) -> Bool {
    guard let value else { return false }
    return abs(value - golden) <= 1e-9 * abs(golden)
  }

  @Test(arguments: goldens) func figuresAreThoseOfSciPy(golden: Golden) throws {
    let measured = try Self.measure(golden.name).first { $0.name == golden.name }
    let values = try #require(measured).distribution
    let moments = values.moments
    #expect(values.count == golden.count)
    #expect(values.minimum == golden.minimum)
    #expect(values.maximum == golden.maximum)
    #expect(Self.isClose(moments.mean, golden.mean))
    #expect(Self.isClose(moments.standardDeviation, golden.standardDeviation))
    #expect(Self.isClose(moments.rootMeanSquare, golden.rootMeanSquare))
    #expect(Self.isClose(moments.skewness, golden.skewness))
    #expect(Self.isClose(moments.kurtosis, golden.kurtosis))
    #expect(values.quantiles == golden.quantiles)
    #expect(values.medianMagnitude == golden.medianMagnitude)
  }
}
