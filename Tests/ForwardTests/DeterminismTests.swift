import Convert
import Forward
import Testing

/// What does not change any bit of the result.
@Suite struct DeterminismTests {
  @Test(arguments: ["llama", "mixtral", "mamba2", "gpt2", "deepseek-v3"])
  func threadsAndBlocksDoNotMatter(name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let tokens = vector.tokens
    let windows = [tokens, Array(tokens.prefix(17)), Array(tokens.suffix(30)), [tokens[3]]]
    let one = try logits(model, windows, threads: 1)
    let isOfThreads = try logits(model, windows, threads: 3) != one
    #expect(!isOfThreads)
    // One window at a time in every layer.
    let isOfBlocks = try logits(model, windows, options: ForwardOptions(blockSize: 1)) != one
    #expect(!isOfBlocks)
    // Each window as if it were alone.
    let isOfOthers = try windows.flatMap { try logits(model, [$0]) } != one
    #expect(!isOfOthers)
  }

  @Test func batchesDoNotMatter() throws {
    let vector = try ReferenceVector("qwen2")
    let model = try vector.model()
    let plan = WindowPlan(length: 10)
    func loss(_ batchSize: Int) throws -> LossSummary {
      try Evaluation(plan, batchSize: batchSize, RunContext(threads: 2))
        .loss(of: model, on: vector.tokens)
    }
    let one = try loss(1)
    #expect(try loss(1 << 20) == one)
    // Four windows of ten, the last eight tokens are left out.
    #expect(one.count == 36)
  }

  /// Values that an observer puts in the place of others go on from there.
  @Test func observersReplaceWhatTheySee() throws {
    final class Silencer: ForwardObserver {
      let kind: ObservedPlace.Kind
      init(_ kind: ObservedPlace.Kind) { self.kind = kind }
      func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) {
        guard place.kind == kind else { return }
        for index in values.indices { values[index] = 0 }
      }
    }
    let vector = try ReferenceVector("llama")
    let model = try vector.model()
    // Without values nothing comes out of the attention, as if its output had read zeros.
    let withoutValues = try logits(model, [vector.tokens], observer: Silencer(.values))
    #expect(largestDifference(withoutValues, vector.logits) > 1e-2)
    let head = try logits(model, [vector.tokens], observer: Silencer(.input(modules: ["lm_head"])))
    #expect(head.allSatisfy { $0 == 0 })
  }
}
