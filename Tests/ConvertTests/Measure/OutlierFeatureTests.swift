import Formats
import Model
import Stats
import Testing

@testable import Convert

@Suite struct OutlierFeatureTests {
  /// The inputs of a layer, 100 tokens, of which some are large in channel 3.
  private func tensor(layer: Int, _ role: TensorRole, outlierTokens: Int) -> TensorStatistics {
    TensorStatistics(
      name: "x", kind: .activation, role: role, layer: layer, expert: nil, dtype: .f32,
      shape: [100, 8], distribution: Distribution(ValueAccumulator(.leadingBits)), channels: nil,
      outputChannels: nil, tokens: nil, headMagnitudes: nil, rotation: nil, roundTrips: [],
      outliers: ActivationOutliers(
        features: outlierTokens > 0 ? [.init(channel: 3, tokenCount: outlierTokens)] : [],
        tokenCount: 100, massiveCount: 0, massive: []),
      everyChannel: nil, meanSquareSum: nil)
  }

  private func features(_ tokens: Int...) -> [OutlierFeature] {
    OutlierFeature.emergent(
      in: tokens.enumerated().map { tensor(layer: $0.offset, .attnQ, outlierTokens: $0.element) })
  }

  /// LLM.int8(), section 4.1: at least 25 % of the layers and 6 % of the tokens.
  @Test func theCriterionHoldsAtItsBounds() {
    #expect(
      features(0, 24, 0, 0) == [
        OutlierFeature(channel: 3, layerCount: 1, layerShare: 0.25, tokenShare: 0.06)
      ])
    #expect(features(0, 23, 0, 0) == [])
    #expect(features(0, 100, 0, 0, 0) == [])
    #expect(features(50, 50, 0, 0, 0).map(\.layerShare) == [0.4])
    #expect(features() == [])
  }

  @Test func secondProjectionsDoNotCount() {
    let found = OutlierFeature.emergent(in: [
      tensor(layer: 0, .mlpUp, outlierTokens: 10), tensor(layer: 0, .mlpDown, outlierTokens: 100),
      tensor(layer: 1, .mlpDown, outlierTokens: 100),
    ])
    #expect(
      found == [OutlierFeature(channel: 3, layerCount: 1, layerShare: 1, tokenShare: 0.1)])
  }

  /// From the values on: channel 1 reaches 6 in one of four layers.
  @Test func featuresAreFoundInDumps() throws {
    let folder = try MeasuredFolder(
      (0..<4).map {
        TestTensor(random: "model.layers.\($0).self_attn.q_proj.weight", .bf16, [8, 4], seed: 1)
      })
    func inputs(_ layer: Int, _ value: Float) -> TestTensor {
      TestTensor(
        "model.layers.\(layer).self_attn.q_proj.input", .f32, [2, 4],
        values: [0, value, 0, 1, 0, 0, 0, 1])
    }
    for (value, expected) in [(Float(-6), [1]), (5.9375, [])] {
      let dump = try folder.dump(inputs(0, 1), inputs(1, 1), inputs(2, value), inputs(3, 1))
      let found = OutlierFeature.emergent(in: try folder.measure([dump]))
      #expect(found.map(\.channel) == expected)
      #expect(found.allSatisfy { $0.tokenShare == 0.125 && $0.layerCount == 1 })
    }
  }
}
