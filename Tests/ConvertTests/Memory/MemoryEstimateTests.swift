import Convert
import Formats
import Model
import TestModels
import Testing

@Suite struct MemoryEstimateTests {
  private static func demand(
    _ config: JSONValue, weights: Int, format: CacheFormat = .f16, batch: Int = 1
  ) throws -> MemoryEstimate.Demand {
    MemoryEstimate.Demand(
      weightByteCount: weights, cache: try CacheGeometry(config), format: format,
      activations: try #require(ActivationWorkingSet(ModelConfig(document: config))),
      batch: batch)
  }

  /// The arithmetic that people do on paper: 175e9 * 16 / 8, and 175e9 * (4 + 32 / 128) / 8.
  @Test func weightsOf175BillionParameters() throws {
    #expect(ElementWidth.f16.byteCount(of: 175_000_000_000) == 350_000_000_000)
    let packed = try #require(ElementWidth(bits: 4, groupSize: 128))
    #expect(packed.byteCount(of: 175_000_000_000) == 92_968_750_000)
  }

  /// 13.48 GB and 3.79 GB of weights, and 524,288 bytes of cache for each token.
  @Test func theCacheOutgrowsTheWeights() throws {
    let parameters = PublishedModel.llama7BParameterCount
    let plain = try MemoryEstimate(
      Self.demand(PublishedModel.llama7B.config, weights: 2 * parameters), context: 0, budget: nil)
    #expect(plain.weightByteCount == 13_476_831_232)
    #expect(plain.cacheOutgrowsWeightsAt == 25_706)
    let packed = try #require(ElementWidth(bits: 4, groupSize: 64)?.byteCount(of: parameters))
    #expect(packed == 3_790_358_784)
    let small = try MemoryEstimate(
      Self.demand(PublishedModel.llama7B.config, weights: packed), context: 0, budget: nil)
    #expect(small.cacheOutgrowsWeightsAt == 7230)
    let four = try MemoryEstimate(
      Self.demand(PublishedModel.llama7B.config, weights: packed, batch: 4), context: 0, budget: nil
    )
    #expect(four.cacheOutgrowsWeightsAt == 1808)
  }

  /// Activations of a chunk of 512: 512 * (4 * 4096 + 2 * 11008) * 2 + 32000 * 4 = 39,449,600. Then
  /// (24e9 - 3,790,358,784 - 39,449,600) / 524,288 = 38,471.6 tokens.
  @Test func aModelOnACardOf24GB() throws {
    let demand = try Self.demand(PublishedModel.llama7B.config, weights: 3_790_358_784)
    let estimate = try MemoryEstimate(demand, context: 32768, budget: 24_000_000_000)
    #expect(estimate.activationByteCount == 39_449_600)
    #expect(estimate.cacheByteCount == 17_179_869_184)
    #expect(estimate.totalByteCount == 21_009_677_568)
    #expect(estimate.remainingByteCount == 2_990_322_432)
    #expect(estimate.longestFittingContext == .tokens(38_471))
    let long = try MemoryEstimate(demand, context: 100_000, budget: 24_000_000_000)
    #expect(try #require(long.remainingByteCount) < 0)
    #expect(long.longestFittingContext == .tokens(38_471))
  }

  /// One token more never fits, with windows, several sequences and short contexts too.
  @Test(
    arguments: [PublishedModel.llama7B, .gemma3, .deepSeekV3],
    [1_001_000_000, 1_010_000_000, 1_100_000_000, 1_342_177_280, 5_000_000_000, 77_777_777_777])
  func theLongestContextIsExact(_ model: PublishedModel, _ budget: Int) throws {
    let format = try #require(CacheFormat(bits: 8, groupSize: 64))
    let demand = try Self.demand(model.config, weights: 1_000_000_000, format: format, batch: 3)
    let estimate = try MemoryEstimate(demand, context: 0, budget: budget)
    guard case .tokens(let longest) = estimate.longestFittingContext else {
      Issue.record("a growing cache fits some context at most")
      return
    }
    let fits = try MemoryEstimate(demand, context: longest, budget: budget)
    #expect(try #require(fits.remainingByteCount) >= 0)
    let over = try MemoryEstimate(demand, context: longest + 1, budget: budget)
    #expect(try #require(over.remainingByteCount) < 0)
    let shortest = try #require(estimate.cacheOutgrowsWeightsAt)
    #expect(
      try MemoryEstimate(demand, context: shortest, budget: nil).cacheByteCount > 1_000_000_000)
    #expect(
      try MemoryEstimate(demand, context: shortest - 1, budget: nil).cacheByteCount
        <= 1_000_000_000)
  }

  @Test func windowsInAllLayersLeaveTheContextUnlimited() throws {
    var config = PublishedModel.llama7B.config
    config["model_type"] = "mistral"
    config["sliding_window"] = 4096
    let demand = try Self.demand(config, weights: 4_000_000_000)
    let enough = try MemoryEstimate(demand, context: 0, budget: 7_000_000_000)
    #expect(enough.longestFittingContext == .unlimited)
    #expect(enough.cacheOutgrowsWeightsAt == nil)
    // 4096 * 524288 = 2,147,483,648 is the whole cache.
    let scarce = try MemoryEstimate(demand, context: 0, budget: 6_000_000_000)
    #expect(scarce.longestFittingContext == .tokens((2_000_000_000 - 39_449_600) / 524_288))
  }

  @Test func weightsThatDoNotFitLeaveNoContext() throws {
    let demand = try Self.demand(PublishedModel.llama7B.config, weights: 13_476_831_232)
    let estimate = try MemoryEstimate(demand, context: 0, budget: 12_000_000_000)
    #expect(estimate.longestFittingContext == .tokens(0))
    #expect(estimate.remainingByteCount == 12_000_000_000 - 13_476_831_232)
  }

  /// A mixture's inner width is that of the experts a token sees, when that is more.
  @Test func activationsOfAMixture() throws {
    let mixtral = try #require(
      ActivationWorkingSet(
        ModelConfig(document: [
          "hidden_size": 4096, "intermediate_size": 14336, "num_local_experts": 8,
          "num_experts_per_tok": 2, "vocab_size": 32000,
        ])))
    #expect(mixtral.intermediateSize == 28672)
    #expect(mixtral.byteCount(tokens: 1, batch: 2) == 2 * (8 * 4096 + 4 * 28672 + 4 * 32000))
    let deepSeek = try #require(
      ActivationWorkingSet(
        ModelConfig(document: [
          "hidden_size": 7168, "intermediate_size": 18432, "n_routed_experts": 256,
          "num_experts_per_tok": 8, "n_shared_experts": 1, "moe_intermediate_size": 2048,
        ])))
    #expect(deepSeek.intermediateSize == 18432)
    let bloom = try #require(ActivationWorkingSet(ModelConfig(document: ["n_embed": 4096])))
    #expect(bloom.intermediateSize == 16384)
    #expect(ActivationWorkingSet(ModelConfig(document: [:])) == nil)
  }

  @Test(arguments: [(-1, 1, 1), (1 << 41, 1, 1), (1, 0, 1), (1, 1 << 21, 1), (1, 1, 0)])
  func argumentsAreBounded(_ context: Int, _ batch: Int, _ budget: Int) throws {
    let demand = try Self.demand(PublishedModel.llama7B.config, weights: 1, batch: batch)
    #expect(throws: MemoryEstimateError.self) {
      try MemoryEstimate(demand, context: context, budget: budget)
    }
  }

  @Test func sizesThatDoNotFitAreAnError() throws {
    let config: JSONValue = [
      "num_hidden_layers": 65536, "num_attention_heads": 65536, "head_dim": 65536,
      "hidden_size": 1_099_511_627_776, "num_experts": 1_099_511_627_776,
      "moe_intermediate_size": 1_099_511_627_776,
    ]
    let demand = try Self.demand(config, weights: 1, batch: 1 << 20)
    #expect(throws: MemoryEstimateError.tooLarge(context: 1 << 40, batch: 1 << 20)) {
      try MemoryEstimate(demand, context: 1 << 40, budget: nil)
    }
    let none = try MemoryEstimate(demand, context: 0, budget: 1_000_000_000_000)
    #expect(none.longestFittingContext == .tokens(0))
  }
}
