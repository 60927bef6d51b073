import Convert
import Formats
import Foundation
import Testing

@testable import Forward

/// The statistics of llama.cpp, transcribed from its formulas elsewhere, of a pair of models' logits.
@Suite struct DivergenceTests {
  private let expected: JSONValue
  private let base: [Float]
  private let quantized: [Float]
  private let tokens: [Int]

  init() throws {
    let file = try TensorFile(Fixture.path("vectors/kl-example.safetensors"))
    base = file.floats("logits_base")
    quantized = file.floats("logits_quantized")
    tokens = file.integers("input_ids")
    let json = try JSONValue(parsing: contents(of: Fixture.path("vectors/kl-example.json")))
    expected = try #require(json["exact"])
  }

  /// Read in tiles of the vocabulary of this size.
  private func summary(tile: Int) -> DivergenceSummary {
    let losses = TokenLosses(TokenLosses.predictions(of: TokenBatch([tokens])), models: 2)
    for first in stride(from: 0, to: 256, by: tile) {
      let vocabulary = first..<min(first + tile, 256)
      let tiles = [base, quantized].map { logits in
        tokens.indices.flatMap { token in vocabulary.map { logits[token * 256 + $0] } }
      }
      let partial = losses.makePartial()
      losses.read(tiles, vocabulary: vocabulary, into: partial)
      losses.merge(partial, vocabulary: vocabulary)
    }
    return DivergenceSummary(
      baseLosses: losses.losses(ofModel: 0), losses: losses.losses(ofModel: 1),
      divergences: losses.divergences, sameTops: losses.sameTops)
  }

  private func expect(_ found: Double, _ names: String...) throws {
    var value = expected
    for name in names { value = try #require(value[name], "\(names)") }
    let wanted = try #require(value.doubleValue)
    #expect(abs(found - wanted) <= 1e-9 * max(1, abs(wanted)), "\(names)")
  }

  private func expect(_ found: MeanWithError, _ name: String) throws {
    let pair = try #require(expected[name]?.arrayValue, "\(name)").compactMap(\.doubleValue)
    #expect(abs(found.mean - pair[0]) <= 1e-9 * max(1, abs(pair[0])), "\(name)")
    #expect(abs(found.standardError - pair[1]) <= 1e-9 * max(1, abs(pair[1])), "\(name)")
  }

  @Test(arguments: [256, 100, 1])
  func equalsTheExample(tile: Int) throws {
    let found = summary(tile: tile)
    #expect(found.model.count == 47)
    try expect(found.model.perplexity, "ppl_q")
    try expect(found.base.perplexity, "ppl_base")
    try expect(found.correlation, "correlation")
    try expect(found.logRatio, "ln_ppl_ratio")
    try expect(found.ratio, "ppl_ratio")
    try expect(found.difference, "ppl_difference")
    try expect(found.divergence, "kld_mean")
    try expect(found.divergences.largest, "kld_max")
    try expect(found.divergences.least, "kld_min")
    try expect(found.divergences.median, "kld_median")
    for percent in ["99.9", "99", "95", "90", "10", "5", "1", "0.1"] {
      let share = try #require(Double(percent)) / 100
      try expect(found.divergences[share: share], "kld_percentiles", percent)
      try expect(found.probabilities[share: share], "dp_percentiles", percent)
    }
    try expect(found.probability, "dp_mean")
    try expect(found.probabilityRoot, "dp_rms")
    try expect(found.sameTop, "same_top")
  }

  @Test func aModelDoesNotDivergeFromItself() throws {
    let vector = try ReferenceVector("gemma2")
    let model = try vector.model()
    let found = try Evaluation(WindowPlan(length: 48), RunContext(threads: 2))
      .divergence(of: model, from: model, on: vector.tokens)
    #expect(abs(found.divergence.mean) < 1e-7 && found.sameTop.mean == 1)
    #expect(found.logRatio.mean == 0)
  }

  @Test func vocabulariesMustBeOfOneSize() throws {
    let sample = try ForwardModel(Checkpoint(path: samplesFolder + "/small"))
    let model = try ReferenceVector("llama").model()
    #expect(throws: ForwardError.otherVocabulary(256, expected: 1024)) {
      try Evaluation(WindowPlan(length: 2), RunContext(threads: 1))
        .divergence(of: model, from: sample, on: [1, 2])
    }
  }

  @Test func windowsOfLlamaCpp() throws {
    let losses = TokenLosses(
      TokenLosses.predictions(of: TokenBatch([tokens]), firstScored: 25), models: 1)
    let partial = losses.makePartial()
    losses.read([quantized], vocabulary: 0..<256, into: partial)
    losses.merge(partial, vocabulary: 0..<256)
    let file = try JSONValue(parsing: contents(of: Fixture.path("vectors/kl-example.json")))
    let pair = try #require(file["llama_cpp"]?["ppl_q"]?.arrayValue).compactMap(\.doubleValue)
    let found = LossSummary(losses.losses(ofModel: 0)).perplexity
    #expect(abs(found.mean / pair[0] - 1) < 1e-9)
    #expect(abs(found.standardError / pair[1] - 1) < 1e-9)
  }
}
