import Convert
import Formats
import Foundation
import Testing

@testable import Forward

/// The grid of Qllm-Eval on the sample model.
@Suite struct QuantizationSweepTests {
  private let model: ForwardModel
  private let tokens: [Int]

  init() throws {
    model = try ForwardModel(Checkpoint(path: samplesFolder + "/small"))
    tokens = try TensorFile(samplesFolder + "/reference-logits.safetensors").integers("input_ids")
  }

  private func measure(_ points: [QuantizationPoint]) throws -> [String: DivergenceSummary] {
    let evaluation = Evaluation(WindowPlan(length: 64), RunContext(threads: 2))
    let found = try FakeQuantization(model).measure(points, on: tokens, evaluation)
    return Dictionary(uniqueKeysWithValues: found.map { ($0.point.name, $0.divergence) })
  }

  @Test func fewerBitsLoseMore() throws {
    let found = try measure(QuantizationPoint.qllmEval)
    #expect(found.count == 14)
    for chain in [
      ["W8", "W4", "W3", "W2"], ["KV8", "KV4", "KV3", "KV2"], ["W8A8", "W4A8", "W4A4"],
      ["W8KV8", "W8KV4", "W4KV4"], ["W8", "W8A8"], ["W4", "W4A4"], ["W8", "W8KV4"],
    ] {
      let divergences = try chain.map { try #require(found[$0]).divergence.mean }
      #expect(divergences == divergences.sorted() && divergences[0] > 0, "\(chain)")
    }
    // Losses are noisier: of the steps that change much.
    for chain in [["W8", "W4", "W3", "W2"], ["KV4", "KV2"], ["W4A8", "W4A4"]] {
      let losses = try chain.map { try #require(found[$0]).model.nll.mean }
      #expect(losses == losses.sorted(), "\(chain)")
    }
  }

  /// The base's layers run once, and each point finds what it would find alone.
  @Test func pointsDoNotDependOnEachOther() throws {
    let points = ["W4A8", "KV3"].compactMap { name in
      (QuantizationPoint.qllmEval + [QuantizationPoint(cache: 3)!]).first { $0.name == name }
    }
    let together = try measure(points)
    for point in points { #expect(try measure([point])[point.name] == together[point.name]) }
    let alone = try Evaluation(WindowPlan(length: 64), RunContext(threads: 1))
      .loss(of: model, on: tokens)
    #expect(together["KV3"]?.base == alone)
  }

  private func measured(
    _ point: QuantizationPoint?, change: Double, error: Double
  ) throws -> MeasuredPoint {
    // Losses of the base around 2, and of the model around that and the change, correlated in all but the error.
    let count = 400
    let base = (0..<count).map { 2 + Double($0 % 7) / 10 }
    let losses = base.enumerated().map {
      $1 + change + ($0 % 2 == 0 ? error : -error) * Double(count).squareRoot()
    }
    return MeasuredPoint(
      point: try #require(point),
      divergence: DivergenceSummary(
        baseLosses: base, losses: losses, divergences: base.map { _ in 0.01 },
        sameTops: base.map { _ in true }))
  }

  /// 2 % of the paper, as nats.
  @Test func departures() throws {
    let (w4, w3, w2) = (
      QuantizationPoint(weights: 4), QuantizationPoint(weights: 3), QuantizationPoint(weights: 2)
    )
    #expect(abs(exp(-MeasuredPoint.limit) - 0.98) < 1e-12)
    #expect(try measured(w4, change: 0.01, error: 0.001).departure == nil)
    #expect(try measured(w3, change: 0.05, error: 0.001).departure == nil)
    let beyond = try #require(try measured(w4, change: 0.05, error: 0.001).departure)
    #expect(
      beyond == "W4 costs 0.0500 nats per token (perplexity +5.1 %), more than 0.0202; the paper"
        + " recommends it for most models.")
    #expect(try #require(measured(w3, change: 0.01, error: 0.001).departure).contains("more bits"))
    #expect(try #require(measured(w2, change: 0.01, error: 0.001).departure).contains("advises"))
    let unclear = try #require(try measured(w4, change: 0.02, error: 0.001).departure)
    #expect(unclear.contains("too short"))
  }

  @Test func whatThePaperSays() {
    let standings = QuantizationPoint.qllmEval.map { ($0.name, PaperStanding($0)) }
    let careful = standings.filter { $0.1 == .withCare }.map(\.0)
    #expect(careful == ["W3", "KV3", "W4KV4"])
    #expect(standings.filter { $0.1 == .advisedAgainst }.map(\.0) == ["W2", "W4A4", "KV2"])
  }
}
