import Convert
import Foundation

/// A plan of widths as a page: what was asked, where the bits go, what size costs in error, and why.
struct PlanPage {
  let plan: BitPlan
  let predictedByteCount: Int
  /// Of the checkpoint.
  let path: String
  /// The options that decide what is in the plan, with their values.
  let asked: [(option: String, value: String)]
  /// Where the plan was written; nil where only the page was.
  let planFile: String?
  let circumstances: PlanCircumstances
  let origin: PageOrigin

  private var title: String { modelTitle(path) }

  var html: String {
    PageFrame(
      title: "\(title): plan of widths", header: header,
      sections: [
        .init(
          id: "use", title: "What was asked, and what to do",
          lead: "The options that the plan was made with, and the command that applies it.",
          body: use)
      ] + circumstances.sections + [
        .init(
          id: "widths", title: "Widths",
          lead: "Bits and group size of every tensor: the stronger the colour, the more bits.",
          body: PlanWidths(plan: plan).markup),
        .init(
          id: "shares", title: "Who has the bytes",
          lead: "What share of the bytes and of the loss each width and each role has.",
          body: shares),
        .init(
          id: "curve", title: "Loss and size",
          lead: "The least loss for every size, and where one width for all would stand.",
          body: PlanCurve(plan: plan).markup),
        .init(
          id: "reasons", title: "Reasons",
          lead:
            "Why each tensor has its width, and what its neighbours would have cost or brought.",
          body: reasons),
      ], footer: footer, origin: origin
    ).html
  }

  private var header: Markup {
    let totals = plan.totals
    let gap =
      totals.optimalityGap > 0 ? "at most \(percentText(totals.optimalityGap)) above it" : "reached"
    let tiles = [
      PageTile(
        name: "Size", value: ByteSize(bytes: predictedByteCount).text,
        note: "\(groupedText(predictedByteCount)) bytes, the whole output"),
      PageTile(
        name: "Bits per weight", value: String(format: "%.4f", totals.bitsPerWeight),
        note: "scales and biases counted"),
      PageTile(
        name: plan.measure.heading, value: figureText(totals.loss),
        note: plan.measure.decibels(totals.loss).map { "SQNR \($0) dB" }
          ?? plan.measure.description),
      PageTile(
        name: "Least possible \(plan.measure.noun)", value: gap, note: "for this size"),
    ]
    return """
      <header><p class="kicker">Plan of widths</p><h1>\(title)</h1>
      <p class="path"><code>\(path)</code></p>
      <dl class="tiles">\(tiles.map(\.markup).joined())</dl></header>

      """
  }

  // MARK: - What was asked

  private var use: Markup {
    let options = asked.map { option, value -> Markup in
      "<tr><th scope=\"row\">--\(option)</th><td>\(value)</td></tr>\n"
    }
    let name = title.hasSuffix(".safetensors") ? String(title.dropLast(12)) : title
    let apply = shellLine([
      "decant", "convert", path, "--plan", planFile ?? "decant.json", "-o",
      "\(name)-\(decimalText(plan.totals.bitsPerWeight, 2))bpw",
    ])
    let source: Markup =
      planFile == nil
      ? "<p class=\"note\">The plan is the data at <a href=\"#origin\">the end of this page</a>.</p>"
      : ""
    return """
      <pre><code>\(apply)</code></pre>\(source)
      <table class="asked"><caption>Options of the plan</caption><thead><tr><th scope="col">Option</th>\
      <th scope="col">Value</th></tr></thead><tbody>\(options.joined())</tbody></table>
      """
  }

  // MARK: - Shares

  private var shares: Markup {
    """
    <div class="trips">\(shareTable("Width") { choice in
      choice.layout.map { "\($0.bits) bits, groups of \($0.groupSize)" } ?? "kept"
    })\(shareTable("Role") { $0.role.replacing("_", with: " ") })</div>
    """
  }

  private func loss(_ choice: BitPlan.Choice) -> Double {
    switch plan.measure {
    case .relativeError: choice.relativeError * choice.weight
    case .divergence: choice.divergence ?? 0
    }
  }

  private func shareTable(_ title: String, by key: (BitPlan.Choice) -> String) -> Markup {
    let groups = Dictionary(grouping: plan.choices, by: key)
    let bytes = Double(max(1, plan.choices.reduce(0) { $0 + $1.byteCount }))
    let losses = plan.choices.reduce(0) { $0 + loss($1) }
    let rows = groups.map { name, choices in
      (
        name: name, count: choices.count, bytes: choices.reduce(0) { $0 + $1.byteCount },
        loss: choices.reduce(0) { $0 + loss($1) }
      )
    }.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }.map { row -> Markup in
      """
      <tr><th scope="row">\(row.name)</th><td>\(groupedText(row.count))</td>\
      <td>\(ByteSize(bytes: row.bytes).text)</td><td>\(percentText(Double(row.bytes) / bytes))</td>\
      <td>\(losses > 0 ? percentText(row.loss / losses) : "–")</td></tr>

      """
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Shares by \(title.lowercased())"><table>\
      <caption>Shares by \(title.lowercased())</caption><thead><tr><th scope="col">\(title)</th>\
      <th scope="col">Tensors</th><th scope="col">Size</th><th scope="col">Share of bytes</th>\
      <th scope="col">Share of loss</th></tr></thead><tbody>\(rows.joined())</tbody></table></div>
      """
  }

  // MARK: - Reasons

  private var reasons: Markup {
    let heads = [
      "Tensor", "Bits", "Group size", "Bytes", "Share of bytes", "Relative error", "SQNR, dB",
      "Why",
    ].map { column -> Markup in
      "<th scope=\"col\"><button type=\"button\">\(column)</button></th>"
    }.joined()
    let why = PlanReasons(plan)
    let bytes = Double(max(1, plan.choices.reduce(0) { $0 + $1.byteCount }))
    let rows = plan.choices.prefix(TensorTable.limit).map { choice -> Markup in
      let (bits, group) =
        choice.layout.map { ("\($0.bits)", "\($0.groupSize)") } ?? ("kept", "–")
      let words = why.words(choice).map { "<b>\($0)</b><br/>" as Markup } ?? ""
      let sqnr = choice.layout == nil ? nil : -10 * log10(choice.relativeError)
      return """
        <tr><th scope="row">\(choice.name)</th><td>\(bits)</td><td>\(group)</td>\
        <td>\(groupedText(choice.byteCount))</td><td>\(percentText(Double(choice.byteCount) / bytes))</td>\
        <td>\(figureText(choice.relativeError))</td><td>\(decibelText(sqnr))</td>\
        <td class="why">\(words)\(choice.reason)</td></tr>

        """
    }.joined()
    let more = plan.choices.count - TensorTable.limit
    let note: Markup =
      more > 0 ? "<p class=\"note\">\(groupedText(more)) more stand in the plan file.</p>" : ""
    return """
      <p class="note">\(PlanReasons.note)</p>
      <div class="scroll tall" tabindex="0" role="region" aria-label="Every choice">\
      <table class="sortable choices"><caption>Every choice</caption>
      <thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>\(note)
      """
  }

  private var footer: Markup {
    """
    <p class="note">The relative error of a tensor is the squared error of its outputs over their \
    square, with inputs of different channels taken as uncorrelated; the total is their mean by \
    weight. SQNR is -10 log₁₀ of it in dB: 6 dB are about one bit. docs/PLAN.md has the formulas.</p>

    """
  }
}
