import Convert
import Formats
import Forward
import Model
import Testing

/// What a bound on memory makes of a pass.
@Suite struct ForwardMemoryTests {
  private func description(_ name: String) throws -> DecoderDescription {
    try ReferenceVector(name).model().description
  }

  private func options(
    _ limit: Int, used: Int = 0, tokens: Int = 1 << 20, window: Int = 512
  ) throws -> ForwardOptions {
    try ForwardMemory(
      models: [description("llama")], tokens: tokens, longestWindow: window, threads: 2
    ).options(limit: limit, used: used)
  }

  @Test func moreMemoryGivesLargerPieces() throws {
    let all = try (24...34).map { try options(1 << $0, tokens: 1 << 10) }
    for (less, more) in zip(all, all.dropFirst()) {
      #expect(less.tileSize <= more.tileSize && less.hiddenLimit <= more.hiddenLimit)
    }
    // A million tokens have 64 numbers each in this model: 256 MB.
    #expect(try options(400 << 20).hiddenLimit == 0)
    #expect(try options(1 << 30).hiddenLimit == .max)
    #expect(
      all[0].tileSize < ForwardOptions.largestTile && all[10].tileSize == ForwardOptions.largestTile
    )
  }

  @Test func tooLittleForAWindowSaysWhatIsNeeded() throws {
    let error = try #require(throws: ForwardError.self) { try options(1 << 20, used: 1 << 19) }
    guard case .tooLittleMemory(let limit, let needed, let window) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(limit == 1 << 20 && window == 512 && needed > limit)
    // So much is enough, and not a byte is left over.
    #expect(throws: Never.self) { try options(needed + 1, used: 1 << 19) }
    #expect(throws: ForwardError.self) { try options(needed - 1, used: 1 << 19) }
    // More than there is already.
    #expect(throws: ForwardError.self) { try options(1 << 20, used: 1 << 30) }
  }

  /// Windows, tokens and threads as large as they can be asked for.
  @Test func nothingOverflows() throws {
    let memory = ForwardMemory(
      models: [try description("deepseek-v3"), try description("mamba2")], tokens: 1 << 40,
      longestWindow: 1 << 24, threads: 1024)
    #expect(throws: ForwardError.self) { try memory.options(limit: .max >> 20, used: 0) }
    #expect(throws: Never.self) { try memory.options(limit: .max, used: 0) }
  }

  /// The same bits, wherever hidden states lie and however many windows go through a layer at once.
  @Test(arguments: ["qwen2", "opt-post-norm"])
  func lossesDoNotDependOnIt(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    func divergence(_ change: (inout ForwardOptions) -> Void) throws -> DivergenceSummary {
      var options = ForwardOptions()
      change(&options)
      let observed = try FakeQuantization(model).subject(at: #require(QuantizationPoint(cache: 3)))
      return try Evaluation(WindowPlan(length: 10), options: options, RunContext(threads: 2))
        .divergences(of: [observed], from: model, on: vector.tokens)[0]
    }
    let one = try divergence { _ in }
    // Four windows of ten, the last eight tokens are left out.
    #expect(one.model.count == 36)
    #expect(try divergence { $0.hiddenLimit = 0 } == one)
    #expect(try divergence { ($0.hiddenLimit, $0.blockSize, $0.tileSize) = (0, 1, 1) } == one)
  }
}
