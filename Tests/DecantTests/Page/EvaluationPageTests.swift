import Formats
import Forward
import Foundation
import Testing

@testable import decant

/// Pages of `eval`, of figures that are written down here.
@Suite struct EvaluationPageTests {
  private func summary(
    _ base: [Double], _ losses: [Double], divergences: [Double]? = nil
  ) -> DivergenceSummary {
    DivergenceSummary(
      baseLosses: base, losses: losses, divergences: divergences ?? base.map { _ in 0.01 },
      sameTops: base.map { _ in true })
  }

  private func read(_ html: String) -> PageReader {
    let page = PageReader(html)
    #expect(page.isSound)
    #expect(html.components(separatedBy: "://").count - 1 == 1)
    for drawing in page.all("svg") where drawing.attributes["aria-hidden"] == nil {
      #expect(drawing.attributes["aria-label"]?.isEmpty == false)
    }
    return page
  }

  private let plan = WindowPlan(length: 64)
  private static let origin = PageOrigin(command: "decant eval", models: [], data: "{}")

  /// The quantiles of 101 values are the values themselves.
  @Test func quantilesOfLossesStandInATable() {
    let losses = (0...100).map { Double($0) / 10 }
    let report = EvaluationReport(
      path: "/models/<b>", plan: plan, result: .loss(LossSummary(losses.reversed())))
    let page = read(EvaluationPage(report: report, origin: Self.origin).html)
    #expect(page.all("h1").map(\.text) == ["<b>"])
    let cells = page.all("td").map(\.text)
    // The mean first, then the least, 1 %, 10 %, half, 90, 95, 99 and 99.9 %, the largest.
    #expect(
      cells == ["5.00", "0", "0.100", "1.00", "5.00", "9.00", "9.50", "9.90", "9.99", "10.0"])
    #expect(page.all("path").filter { $0.attributes["class"] == "line w" }.count == 1)
    #expect(!page.all("h2").contains { $0.text == "How far predictions moved" })
  }

  /// Of ten tokens, three get better by 0.5 nats, six stay, one gets worse by 2.
  @Test func changesAreCountedInRanges() throws {
    let base = Array(repeating: 4.0, count: 10)
    let losses = [3.5, 3.5, 3.5] + Array(repeating: 4, count: 6) + [6]
    let bars = ChangeBars(changes: summary(base, losses).lossChanges)
    #expect(bars.shares == [0, 0, 0.3, 0, 0, 0, 0.6, 0, 0, 0, 0, 0.1, 0])
    let report = EvaluationReport(
      path: "a", plan: plan, basePath: "b/c", result: .divergence(summary(base, losses)))
    let page = read(EvaluationPage(report: report, origin: Self.origin).html)
    let heights = page.all("rect").compactMap { $0.attributes["height"] }
    #expect(heights[6] == "190" && heights[2] == "95" && heights[0] == "0")
    #expect(page.all("li").contains { $0.text == "compared with b/c" })
    #expect(page.all("desc").contains { $0.text.contains("10.0 % lose 0.1 nats more") })
  }

  /// A divergence of nothing has no logarithm.
  @Test func noDivergenceIsDrawnToo() {
    let base = Array(repeating: 4.0, count: 12)
    let report = EvaluationReport(
      path: "a", plan: plan,
      result: .divergence(summary(base, base, divergences: base.map { _ in 0 })))
    let html = EvaluationPage(report: report, origin: Self.origin).html
    let page = read(html)
    #expect(!html.contains("nan") && !html.contains("inf"))
    #expect(page.all("path").contains { $0.attributes["class"] == "line w" })
  }

  private func point(_ point: QuantizationPoint?, change: Double) throws -> MeasuredPoint {
    let base = (0..<400).map { 2 + Double($0 % 7) / 10 }
    return MeasuredPoint(
      point: try #require(point),
      divergence: summary(
        base, base.map { $0 + change }, divergences: base.map { _ in change.magnitude }))
  }

  /// W4 costs too much, W2 costs as much as the paper says; the cache costs nothing.
  @Test func theSweepNamesWhatLeavesThePaper() throws {
    let model = try ForwardModel(Checkpoint(path: samplePath))
    let report = SweepReport(
      path: "a/b", plan: plan, groups: try FakeQuantization(model).groups,
      points: [
        try point(QuantizationPoint(weights: 4), change: 0.1),
        try point(QuantizationPoint(weights: 2), change: 1),
        try point(QuantizationPoint(cache: 8), change: -0.001),
      ])
    let page = read(SweepPage(report: report, origin: Self.origin).html)
    let found = page.all("li", inside: "main").map(\.text)
    #expect(found.count == 1 && found[0].contains("W4 costs 0.1000 nats per token"))
    // One in each of the plots.
    let rings = page.all("circle").filter { $0.attributes["class"] == "ring" }
    #expect(rings.count == 2)
    let rows = page.all("th").filter { $0.attributes["scope"] == "row" }.map(\.text)
    #expect(rows == ["W4", "W2", "KV8"])
    let cells = page.all("td").map(\.text)
    #expect(cells.prefix(5) == ["recommended", "0.10000", "0.00000", "beyond", "0.10000"])
    // A loss that falls is at the edge of a logarithmic scale.
    #expect(page.all("path").filter { $0.attributes["class"] == "mark k hollow" }.count == 1)
    // From left to right, by the logarithm: 0.001, 0.1, 1.
    let labels = page.all("svg").compactMap { $0.attributes["aria-label"] }
    #expect(
      labels == [
        "KL divergence by point, nats, mean", "Change of the loss by point, nats per token",
      ])
  }
}
