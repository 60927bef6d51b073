import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// What a massive channel does to the others, and that figures and plans say so.
@Suite struct ActivationDangerTests {
  private static let tokens = 8
  private static let width = 32

  /// Two layers with the same inputs, but for one channel of the second.
  private let calm = "model.layers.0.mlp.up_proj.input"
  private let massive = "model.layers.1.mlp.up_proj.input"
  private let found: [TensorStatistics]

  /// Values of 1, -1 and 1/2; the massive channel is 1270 at every token.
  private static func values(massiveChannel: Int?) -> [Float] {
    (0..<tokens * width).map { index in
      if index % width == massiveChannel { return 1270 }
      return index % 3 == 0 ? 0.5 : index % 3 == 1 ? 1 : -1
    }
  }

  init() throws {
    let shape = [Self.tokens, Self.width]
    let weights = [0, 1].map { layer in
      TestTensor(
        random: "model.layers.\(layer).mlp.up_proj.weight", .bf16, [64, Self.width], seed: 1)
    }
    let folder = try MeasuredFolder(weights)
    let path = try folder.dump(
      TestTensor(f32: calm, shape, Self.values(massiveChannel: nil)),
      TestTensor(f32: massive, shape, Self.values(massiveChannel: 5)))
    found = try folder.measure([path])
  }

  private func tensor(_ name: String) throws -> TensorStatistics {
    try #require(found.first { $0.name == name })
  }

  private func trip(_ name: String, _ bits: Int) throws -> RoundTrip {
    try #require(
      tensor(name).roundTrips.first { $0.scheme.name == .perToken && $0.bits == bits })
  }

  /// The step of 8 bits is 1270 / 127 = 10: all other values become 0, and all of them is lost.
  @Test func theOtherChannelsAreLost() throws {
    let trip = try trip(massive, 8)
    let rest = try #require(trip.rest)
    let norm = Self.values(massiveChannel: 5).filter { $0 != 1270 }.reduce(0.0) {
      $0 + Double($1) * Double($1)
    }
    #expect(rest.squaredNorm == norm && rest.squaredError == norm)
    #expect(rest.sqnrDecibels == 0 && trip.medianTokenSQNR == 0)
    // Of all channels together nearly nothing is.
    #expect(try #require(trip.error.sqnrDecibels) > 40)
  }

  /// Without outliers the rest is all there is.
  @Test func withoutOutliersBothFiguresAreEqual() throws {
    for bits in [4, 8] {
      let trip = try trip(calm, bits)
      #expect(trip.rest == trip.error)
    }
    // Every token holds the same values: the median token is as all of them, but for a little.
    let trip = try trip(calm, 8)
    let all = try #require(trip.error.sqnrDecibels)
    #expect(abs(try #require(trip.medianTokenSQNR) - all) < 1)
  }

  @Test func theMassiveLayerIsTheMoreDangerous() throws {
    for bits in [4, 8] {
      let dangerous = try #require(try tensor(massive).sqnr(.perToken, bits: bits))
      #expect(dangerous < (try #require(try tensor(calm).sqnr(.perToken, bits: bits))))
    }
    let layers = StatisticsSummary.layers(found, kind: .activation)
    #expect(layers.map { $0.sqnr(.perToken, bits: 8) }.last == 0)
  }

  @Test func aPlanKeepsItAtSixteenBits() throws {
    let widths = try ActivationWidths(found.map(\.figures))
    #expect(widths.choices.map(\.name) == [calm, massive])
    #expect(widths.choices.map(\.bits) == [8, 16])
  }

  /// The threshold is the one of the channels that are called outliers.
  @Test func theRatioDecidesWhatIsAnOutlier() {
    #expect(MagnitudeProfile.outliers([1, 2, 1, 7, 6, 1], outlierRatio: 4) == [3])
    #expect(MagnitudeProfile.outliers([1, 2, 1, 7, 6, 1], outlierRatio: 3.9) == [3, 4])
    #expect(MagnitudeProfile.outliers([0, 0, 0, 9], outlierRatio: 6) == [])
    #expect(DumpRange(absMax: 1, outliers: [0, 2, 3]).rest(of: 6) == [1..<2, 4..<6])
    #expect(DumpRange(absMax: 1, outliers: []).rest(of: 6) == [0..<6])
  }
}
