import Convert
import Formats
import Foundation

/// A plan of widths: as JSON, and as text for people.
struct BitPlanReport {
  private let plan: BitPlan
  private let predictedByteCount: Int
  private let settings: PlanSettings?
  private let cache: CacheWidths?
  private let activations: ActivationWidths?
  private let fit: ModelFit?
  private let problems: [DumpError]

  init(
    _ plan: BitPlan, predictedByteCount: Int, settings: PlanSettings?, cache: CacheWidths?,
    activations: ActivationWidths?, fit: ModelFit?, problems: [DumpError]
  ) {
    self.plan = plan
    self.predictedByteCount = predictedByteCount
    self.settings = settings
    self.cache = cache
    self.activations = activations
    self.fit = fit
    self.problems = problems
  }

  var json: JSONValue {
    var json = plan.json(predictedByteCount: predictedByteCount)
    if let fit { json["memory"] = fit.json }
    return json
  }

  func text(_ terminal: Terminal, withCurve: Bool) -> String {
    var parts = [summary(terminal), widths(terminal), uniform(terminal)]
    if let cache { parts.append(CacheWidthsText(cache).text(terminal)) }
    if let activations { parts.append(ActivationWidthsText(activations).text(terminal)) }
    if let settings { parts.append(PlanSettingsText(settings).text(terminal)) }
    if let fit { parts.append(ModelFitText(fit).text(terminal)) }
    if withCurve { parts.append(curve(terminal)) }
    return parts.joined(separator: "\n")
  }

  private func summary(_ terminal: Terminal) -> String {
    let totals = plan.totals
    var text =
      terminal.style.bold(String(format: "%.4f bits per weight", totals.bitsPerWeight))
      + ", \(ByteSize(bytes: predictedByteCount).text) in all (\(predictedByteCount) bytes)\n"
    text +=
      lossText + ", "
      + (totals.optimalityGap > 0
        ? "at most \(percent(totals.optimalityGap)) above the least possible\n"
        : "the least possible\n")
    if let worst = plan.choices.map(\.samplingError).max(), worst > 0 {
      text += "measured on samples: relative errors are uncertain by \(percent(worst)) at most\n"
    }
    for problem in problems {
      text += terminal.style.yellow("left out:") + " " + printable(problem.message) + "\n"
    }
    return text
  }

  private var lossText: String {
    let loss = plan.totals.loss
    return switch plan.measure {
    case .relativeError: "mean relative error \(figure(loss)) (\(decibels(sqnr(loss))) dB)"
    case .divergence: "predicted KL divergence \(figure(loss)) nats"
    }
  }

  /// Headings of losses, and the figures below them.
  private var lossColumns: [TextTable.Column] {
    switch plan.measure {
    case .relativeError: [.init("relative error", .right), .init("SQNR dB", .right)]
    case .divergence: [.init("KL divergence", .right)]
    }
  }

  private func lossCells(_ loss: Double) -> [String] {
    switch plan.measure {
    case .relativeError: [figure(loss), decibels(sqnr(loss))]
    case .divergence: [figure(loss)]
    }
  }

  private func sqnr(_ error: Double) -> Double { -10 * log10(error) }

  /// Layers by roles.
  private func widths(_ terminal: Terminal) -> String {
    var roles: [String] = []
    for choice in plan.choices where !roles.contains(choice.role) { roles.append(choice.role) }
    let layers = Set(plan.choices.compactMap(\.layer)).sorted()
    let groups = Set(plan.choices.compactMap(\.layout?.groupSize))
    func cell(_ layer: Int?, _ role: String) -> String {
      let layouts = plan.choices.filter { $0.layer == layer && $0.role == role }.map(\.layout)
      var words: [String] = []
      for layout in layouts {
        let word =
          layout.map { groups.count > 1 ? "\($0.bits)/\($0.groupSize)" : "\($0.bits)" } ?? "keep"
        if !words.contains(word) { words.append(word) }
      }
      return words.joined(separator: " ")
    }
    var table = TextTable([.init("layer", .right)] + roles.map { .init($0, .right) })
    if plan.choices.contains(where: { $0.layer == nil }) {
      table.append([""] + roles.map { cell(nil, $0) })
    }
    for layer in layers { table.append(["\(layer)"] + roles.map { cell(layer, $0) }) }
    let legend =
      groups.count > 1
      ? "bits/group size\n" : "bits, in groups of \(groups.first.map(String.init) ?? "-")\n"
    return legend + table.text(style: terminal.style)
  }

  /// The best plans of one width that are no larger, and the next larger.
  private func uniform(_ terminal: Terminal) -> String {
    let sorted = plan.uniform.sorted { $0.tensorByteCount < $1.tensorByteCount }
    var table = TextTable(
      [.init("one width for all"), .init("bits per weight", .right)] + lossColumns
        + [.init("over the plan's", .right)])
    for uniform in sorted {
      let fits = uniform.tensorByteCount <= plan.totals.tensorByteCount
      let row =
        [
          "\(uniform.layout.bits) bits in groups of \(uniform.layout.groupSize)",
          String(format: "%.4f", uniform.bitsPerWeight),
        ] + lossCells(uniform.loss) + [figure(uniform.loss / plan.totals.loss)]
      table.append(fits ? row : row.map(terminal.style.dim))
    }
    return table.text(style: terminal.style)
  }

  private func curve(_ terminal: Terminal) -> String {
    var table = TextTable(
      [.init("bits per weight", .right), .init("tensors", .right)] + lossColumns)
    for point in plan.curve {
      table.append(
        [String(format: "%.4f", point.bitsPerWeight), "\(point.tensorByteCount)"]
          + lossCells(point.loss))
    }
    return table.text(style: terminal.style)
  }
}
