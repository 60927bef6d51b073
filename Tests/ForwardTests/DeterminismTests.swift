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
    var narrow = ForwardOptions()
    narrow.blockSize = 1
    let isOfBlocks = try logits(model, windows, options: narrow) != one
    #expect(!isOfBlocks)
    // Hidden states in a file, and rows of weights a few at a time.
    (narrow.hiddenLimit, narrow.tileSize) = (0, 1)
    let isOfMemory = try logits(model, windows, options: narrow) != one
    #expect(!isOfMemory)
    // Each window as if it were alone.
    let isOfOthers = try windows.flatMap { try logits(model, [$0]) } != one
    #expect(!isOfOthers)
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
