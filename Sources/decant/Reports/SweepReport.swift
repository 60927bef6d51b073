import Formats
import Forward
import Foundation

/// What quantization to each point of a grid does to a model's predictions: as JSON, and as text for people.
struct SweepReport {
  let path: String
  let plan: WindowPlan
  let groups: WeightGroups
  /// At least one.
  let points: [MeasuredPoint]

  /// Where there is no departure.
  static let agreement =
    "Every width that Qllm-Eval recommends stays within the limit, and no other does."

  static let rule = """
    Qllm-Eval calls a width safe that costs a task less than 2 % of its score. A text has none: here it \
    is 2 % of the true tokens' geometric mean probability, \(String(format: "%.4f", MeasuredPoint.limit)) nats per token. \
    Its recommendations are those for understanding and writing text; for reasoning, dialogue and long \
    contexts it wants more bits, and this text says nothing about them.
    """

  var base: LossSummary { points[0].divergence.base }

  private var findings: [String] {
    let departures = points.compactMap(\.departure)
    return departures.isEmpty
      ? [Self.agreement]
      : departures
  }

  var json: JSONValue {
    var json = EvaluationReport(path: path, plan: plan, result: .loss(base)).json
    json["sweep"] = "qllm"
    json["weight_groups"] = groups.json
    json["weights_kept"] = .array(groups.kept.map { .string($0) })
    json["limit_nll"] = .double(MeasuredPoint.limit)
    json["points"] = .array([Self.unquantized(base)] + points.map(Self.json))
    json["findings"] = .array((findings + [Self.rule]).map { .string($0) })
    return json
  }

  private static func unquantized(_ loss: LossSummary) -> JSONValue {
    [
      "point": "unquantized", "w_bits": .null, "a_bits": .null, "kv_bits": .null,
      "nll": .double(loss.nll.mean), "perplexity": .double(loss.perplexity.mean),
      "perplexity_error": .double(loss.perplexity.standardError),
    ]
  }

  private static func json(_ measured: MeasuredPoint) -> JSONValue {
    let found = measured.divergence
    var json = measured.json
    for (name, value) in [
      ("nll", found.model.nll.mean), ("perplexity", found.model.perplexity.mean),
      ("perplexity_error", found.model.perplexity.standardError),
      ("delta_nll", found.logRatio.mean), ("delta_nll_error", found.logRatio.standardError),
      ("kl_mean", found.divergence.mean), ("kl_error", found.divergence.standardError),
      ("same_top", found.sameTop.mean), ("same_top_error", found.sameTop.standardError),
    ] {
      json[name] = .double(value)
    }
    json["paper"] = .string(measured.standing.rawValue)
    json["cost"] = .string(measured.cost.rawValue)
    return json
  }

  func text(_ terminal: Terminal) -> String {
    let plusMinus = terminal.isUnicode ? "± " : "+- "
    func pair(_ value: MeanWithError, _ format: String) -> [String] {
      [
        String(format: format, value.mean),
        plusMinus + String(format: format.replacing("+", with: ""), value.standardError),
      ]
    }
    var table = TextTable([
      .init("bits"), .init("perplexity", .right), .init(""), .init("nats, change", .right),
      .init(""), .init("divergence", .right), .init("same top", .right), .init("paper"),
    ])
    table.append(["unquantized"] + pair(base.perplexity, "%.3f") + ["", "", "", "", ""])
    for measured in points {
      let found = measured.divergence
      table.append(
        [measured.name] + pair(found.model.perplexity, "%.3f")
          + pair(found.logRatio, "%+.4f")
          + [
            String(format: "%.5f", found.divergence.mean),
            String(format: "%.1f %%", 100 * found.sameTop.mean), measured.standing.words,
          ])
    }
    let notes = (findings + [Self.rule]).flatMap { wrap($0, width: terminal.width) }
    return "\(printable(path)): \(base.count) tokens scored, windows of \(plan.length)\n"
      + "weights \(groups.text)\n" + table.text(style: terminal.style) + "\n"
      + notes.map { $0 + "\n" }.joined()
  }
}

extension QuantizationPoint {
  /// Its name and its widths, null for what is not quantized.
  var json: JSONValue {
    func bits(_ count: Int?) -> JSONValue { count.map { .integer($0) } ?? .null }
    return [
      "point": .string(name), "w_bits": bits(weights), "a_bits": bits(activations),
      "kv_bits": bits(cache),
    ]
  }
}

extension MeasuredPoint {
  /// That of the point, with the exponent that its channels were scaled by.
  var name: String {
    alpha.map { "\(point.name), smoothed by \(String(format: "%.2g", $0))" } ?? point.name
  }

  /// The point's, with the exponent; null where channels are as they were.
  var json: JSONValue {
    var json = point.json
    json["smooth_alpha"] = alpha.map { .double($0) } ?? .null
    return json
  }
}

extension WeightGroups {
  var json: JSONValue {
    .array(counts.map { ["group_size": .integer($0.size), "weights": .integer($0.weights)] })
  }

  /// What follows `weights`.
  var text: String {
    let sizes = counts.map { "\($0.weights) in groups of \($0.size)" }
    let rest = kept.isEmpty ? [] : ["\(kept.count) as they are: no group divides their inputs"]
    return (sizes + rest).joined(separator: ", ")
  }
}

extension PaperStanding {
  var words: String {
    switch self {
    case .recommended: "recommended"
    case .withCare: "with care"
    case .advisedAgainst: "advised against"
    }
  }
}
