import Formats
import Forward

/// How well a model predicts a text, and how far its predictions are from another's: as JSON, and as text
/// for people.
struct EvaluationReport {
  enum Result {
    case loss(LossSummary)
    case divergence(DivergenceSummary)
  }

  let path: String
  let plan: WindowPlan
  let result: Result

  private var loss: LossSummary {
    switch result {
    case .loss(let loss): loss
    case .divergence(let divergence): divergence.model
    }
  }

  var json: JSONValue {
    var json: JSONValue = [
      "path": .string(path), "context": .integer(plan.length),
      "scored_from": .integer(plan.firstScored), "tokens": .integer(loss.count),
      "nll": .double(loss.nll.mean), "standard_error": .double(loss.nll.standardError),
      "perplexity": .double(loss.perplexity.mean),
      "perplexity_error": .double(loss.perplexity.standardError),
    ]
    if case .divergence(let divergence) = result {
      for (name, value) in Self.figures(divergence) { json[name] = .double(value) }
    }
    return json
  }

  private static func figures(_ found: DivergenceSummary) -> [(String, Double)] {
    [
      ("base_nll", found.base.nll.mean), ("base_perplexity", found.base.perplexity.mean),
      ("delta_nll", found.logRatio.mean), ("delta_nll_error", found.logRatio.standardError),
      ("perplexity_ratio", found.ratio.mean), ("correlation", found.correlation),
      ("kl_mean", found.divergence.mean), ("kl_error", found.divergence.standardError),
      ("kl_median", found.divergences.median), ("kl_p90", found.divergences[share: 0.9]),
      ("kl_p95", found.divergences[share: 0.95]), ("kl_p99", found.divergences[share: 0.99]),
      ("kl_p99_9", found.divergences[share: 0.999]), ("kl_max", found.divergences.largest),
      ("delta_p_mean", found.probability.mean), ("delta_p_rms", found.probabilityRoot.mean),
      ("same_top", found.sameTop.mean), ("same_top_error", found.sameTop.standardError),
    ]
  }

  func text(_ terminal: Terminal) -> String {
    var table = MeanTable(terminal)
    table.append("perplexity", loss.perplexity, digits: 4)
    table.append("nats per token", loss.nll, digits: 5)
    if case .divergence(let found) = result {
      table.append("perplexity of the source", found.base.perplexity, digits: 4)
      table.append("nats per token, difference", found.logRatio, digits: 6)
      table.append("divergence, mean", found.divergence, digits: 6)
      for (name, value) in [
        ("divergence, median", found.divergences.median),
        ("divergence, 99 %", found.divergences[share: 0.99]),
        ("divergence, largest", found.divergences.largest),
      ] {
        table.append(name, value, digits: 6)
      }
      table.append("same most probable token", found.sameTop, digits: 4)
    }
    return "\(printable(path)): \(loss.count) tokens scored, windows of \(plan.length)\n"
      + table.text
  }
}
