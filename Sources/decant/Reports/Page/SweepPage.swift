import Forward
import Foundation

/// What quantization to each point of a grid does to a model's predictions, as a page.
struct SweepPage {
  let report: SweepReport
  let origin: PageOrigin

  private var points: [MeasuredPoint] { report.points }

  var html: String {
    PageFrame(
      title: "\(modelTitle(report.path)): sweep of widths",
      header: EvaluationHeader(
        kicker: "Sweep of widths: Qllm-Eval", path: report.path, remarks: remarks, tiles: tiles
      ).markup,
      sections: [
        .init(
          id: "findings", title: "Where it leaves the paper",
          lead: """
            Qllm-Eval (arXiv 2402.18158) recommends widths for understanding and writing text, and \
            advises against others.
            """,
          body: findings),
        .init(
          id: "points", title: "Point by point",
          lead:
            "In the paper’s order: weights, weights with activations, cache, weights with cache.",
          body: plots),
        .init(
          id: "figures", title: "Figures",
          lead: "Every point’s figures. A click on a column’s head sorts.", body: table),
      ], footer: EvaluationFooter.markup, origin: origin
    ).html
  }

  private var remarks: [String] {
    [
      "\(countText(report.base.count, "token")) scored, in windows of \(report.plan.length)",
      "weights \(report.groups.text)",
    ]
  }

  private var tiles: [PageTile] {
    let base = report.base
    let known = points.count { $0.departure == nil }
    return [
      PageTile(name: "Perplexity, unquantized", perplexityOf: base),
      PageTile(
        name: "As the paper says", value: "\(known) of \(points.count)",
        note: "points of the grid"),
      PageTile(
        name: "Limit", value: "\(decimalText(MeasuredPoint.limit, 4)) nats",
        note: "2 % of the true tokens’ geometric mean probability"),
    ]
  }

  private var findings: Markup {
    let departures = points.filter { $0.departure != nil }.map { point in
      Finding(
        point.cost == .unclear ? .figure : point.standing == .recommended ? .warning : .notice,
        "\(point.departure ?? "")")
    }
    let sound = Finding(.sound, "\(SweepReport.agreement)")
    return """
      \((departures.isEmpty ? [sound] : departures).markup)
      <p class="note">\(SweepReport.rule)</p>
      """
  }

  // MARK: - Plots

  private var plots: Markup {
    let legend = PaperStanding.allCases.map { standing -> Markup in
      """
      <svg class="swatch" viewBox="0 0 14 14" aria-hidden="true">\(standing.shape.mark(7, 7))</svg> \
      \(standing.words)
      """
    }
    return """
      <p class="note">The paper’s word: \(legend.joined(separator: ", ")). Ringed: this model leaves it, or \
      cannot be told not to. Bars: two standard errors.</p>
      <div class="curves">\(plot("KL divergence", "nats, mean", \.divergence))\
      \(plot("Change of the loss", "nats per token", \.logRatio, limit: MeasuredPoint.limit))</div>
      <p class="note">The dashed line is the limit. Hollow, at the edge: no more than nothing.</p>
      """
  }

  private func plot(
    _ name: String, _ unit: String, _ figure: KeyPath<DivergenceSummary, MeanWithError>,
    limit: Double? = nil
  ) -> Markup {
    let rows = points.map { point in
      let value = point.divergence[keyPath: figure]
      return DotPlot.Row(
        name: point.point.name, value: value.mean, error: 2 * value.standardError,
        shape: point.standing.shape, isMarked: point.departure != nil)
    }
    // Where the kinds of what is quantized change.
    let groups = points.indices.dropFirst().filter {
      points[$0].point.kinds != points[$0 - 1].point.kinds
    }
    return DotPlot(
      title: "<b>\(name)</b>: \(unit)", name: "\(name) by point, \(unit)", rows: rows,
      groups: Set(groups), limit: limit
    ).markup
  }

  // MARK: - Table

  private var table: Markup {
    let heads = [
      "Point", "Paper", "KL divergence", "±", "Cost", "Loss, change", "±", "Perplexity",
      "Same top, %",
    ].map { name -> Markup in
      "<th scope=\"col\"><button type=\"button\">\(name)</button></th>"
    }.joined()
    let rows = points.map { point -> Markup in
      let found = point.divergence
      return """
        <tr><th scope="row">\(point.name)</th><td>\(point.standing.words)</td>\
        <td>\(decimalText(found.divergence.mean, 5))</td>\
        <td>\(decimalText(found.divergence.standardError, 5))</td>\
        <td>\(point.cost.rawValue)</td><td>\(decimalText(found.logRatio.mean, 5))</td>\
        <td>\(decimalText(found.logRatio.standardError, 5))</td>\
        <td>\(decimalText(found.model.perplexity.mean, 3))</td>\
        <td>\(decimalText(100 * found.sameTop.mean, 1))</td></tr>

        """
    }.joined()
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Every point"><table class="sortable points">\
      <caption>Every point</caption><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }
}

extension PaperStanding {
  fileprivate var shape: DotPlot.Shape {
    switch self {
    case .recommended: .circle
    case .withCare: .square
    case .advisedAgainst: .triangle
    }
  }
}

extension QuantizationPoint {
  /// What is quantized: weights, activations, cache.
  fileprivate var kinds: [Bool] { [weights != nil, activations != nil, cache != nil] }
}
