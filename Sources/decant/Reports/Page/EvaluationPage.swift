import Forward
import Foundation

/// How well a model predicts a text, and how far its predictions are from another's, as a page.
struct EvaluationPage {
  let report: EvaluationReport
  let origin: PageOrigin

  var html: String {
    let kicker = report.divergence == nil ? "Evaluation" : "Evaluation, compared"
    return PageFrame(
      title: "\(modelTitle(report.path)): evaluation",
      header: EvaluationHeader(
        kicker: kicker, path: report.path, remarks: remarks, tiles: tiles
      ).markup, sections: sections, footer: EvaluationFooter.markup, origin: origin
    ).html
  }

  private var remarks: [String] {
    let plan = report.plan
    let windows = "\(countText(report.loss.count, "token")) scored, in windows of \(plan.length)"
    let comparison = report.basePath.map { "compared with \($0)" } ?? report.quantization
    return [windows] + [comparison].filter { !$0.isEmpty }
  }

  private var tiles: [PageTile] {
    let loss = report.loss
    let perplexity = PageTile(name: "Perplexity", perplexityOf: loss)
    guard let found = report.divergence else {
      return [
        perplexity,
        PageTile(
          name: "Loss", value: "\(decimalText(loss.nll.mean, 4)) nats",
          note: "per token, ± \(figureText(loss.nll.standardError))"),
        PageTile(
          name: "Median token", value: "\(figureText(loss.losses.median)) nats",
          note: "half of the tokens lose less"),
      ]
    }
    return [
      perplexity,
      PageTile(name: report.baseTitle.capitalizedFirst, perplexityOf: found.base),
      PageTile(
        name: "Change of the loss", value: "\(signedText(found.logRatio.mean)) nats",
        note: "per token, ± \(figureText(found.logRatio.standardError))"),
      PageTile(
        name: "KL divergence", value: "\(figureText(found.divergence.mean)) nats",
        note: "mean, ± \(figureText(found.divergence.standardError))"),
      PageTile(
        name: "Same most probable token", value: percentText(found.sameTop.mean),
        note: "of the tokens"),
    ]
  }

  private var sections: [PageFrame.Section] {
    guard let found = report.divergence else {
      return [
        .init(
          id: "loss", title: "Loss of single tokens",
          lead: "Most tokens are easy to predict; the mean is made by the others.",
          body: """
            <div class="curves">\(QuantileCurve(
              name: "Loss in nats",
              lines: [.init(style: "w", name: "loss", values: report.loss.losses)]).markup)</div>
            \(QuantileTable(title: "Quantiles of the loss", columns: [
              ("Loss, nats", report.loss.losses, report.loss.nll.mean)]).markup)
            """)
      ]
    }
    return [
      .init(
        id: "divergence", title: "How far predictions moved",
        lead: """
          Kullback-Leibler divergence of the predictions from the base’s, over all tokens of the \
          vocabulary; and what it did to the probability of the token that came.
          """,
        body: """
          <div class="curves">\(QuantileCurve(
            name: "KL divergence in nats",
            lines: [.init(style: "w", name: "divergence", values: found.divergences)]).markup)\
          \(ChangeBars(changes: found.lossChanges).markup)</div>
          \(QuantileTable(title: "Quantiles of divergence and change", columns: [
            ("KL divergence", found.divergences, found.divergence.mean),
            ("Change of the loss", found.lossChanges, found.logRatio.mean),
            ("Change of the probability", found.probabilities, found.probability.mean)]).markup)
          """),
      .init(
        id: "loss", title: "Loss of single tokens",
        lead: "How surprising the text is, token by token, to the model and to its base.",
        body: """
          <div class="curves">\(QuantileCurve(
            name: "Loss in nats",
            lines: [
              .init(style: "w", name: "model", values: found.model.losses),
              .init(style: "a token", name: "base", values: found.base.losses),
            ]).markup)</div>
          \(QuantileTable(title: "Quantiles of the loss", columns: [
            ("Model, nats", found.model.losses, found.model.nll.mean),
            ("Base, nats", found.base.losses, found.base.nll.mean)]).markup)
          """),
    ]
  }
}

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
