import Formats
import Forward

/// How well a model predicts a text, and how far its predictions are from another's: as JSON, and as text
/// for people.
struct EvaluationReport {
  enum Result {
    case loss(LossSummary)
    case divergence(DivergenceSummary)
    /// Of a model that was quantized while it ran, from itself; groups where weights were.
    case quantized(MeasuredPoint, WeightGroups?)
  }

  let path: String
  let plan: WindowPlan
  /// Of another model that it is compared with.
  var basePath: String?
  let result: Result

  var loss: LossSummary {
    switch result {
    case .loss(let loss): loss
    case .divergence(let divergence): divergence.model
    case .quantized(let measured, _): measured.divergence.model
    }
  }

  var divergence: DivergenceSummary? {
    switch result {
    case .loss: nil
    case .divergence(let divergence): divergence
    case .quantized(let measured, _): measured.divergence
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
    if let divergence {
      for (name, value) in Self.figures(divergence) { json[name] = .double(value) }
    }
    if case .quantized(let measured, let groups) = result {
      for member in measured.json.members ?? [] { json[member.name] = member.value }
      if let groups {
        json["weight_groups"] = groups.json
        json["weights_kept"] = .array(groups.kept.map { .string($0) })
      }
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
    if let found = divergence {
      table.append(baseTitle, found.base.perplexity, digits: 4)
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
      + (quantization.isEmpty ? "" : quantization + "\n") + table.text
  }

  var baseTitle: String {
    if case .quantized = result { "perplexity, unquantized" } else { "perplexity of the source" }
  }

  /// What was quantized, in a line; empty where nothing was.
  var quantization: String {
    guard case .quantized(let measured, let groups) = result else { return "" }
    let weights = groups.map { ": weights \($0.text)" } ?? ""
    return "quantized to \(measured.name)\(weights)"
  }
}
