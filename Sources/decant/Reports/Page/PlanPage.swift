import Convert
import Foundation

/// A plan of widths as a page: where the bits go, what size costs in error, and why.
struct PlanPage {
  let plan: BitPlan
  let predictedByteCount: Int
  /// Of the checkpoint.
  let path: String

  private var title: String { modelTitle(path) }

  var html: String {
    PageFrame(
      title: "\(title): plan of widths", header: header,
      sections: [
        .init(
          id: "widths", title: "Widths",
          lead: "Bits and group size of every tensor: the stronger the colour, the more bits.",
          body: widths),
        .init(
          id: "curve", title: "Error and size",
          lead: "The least error for every size, and where one width for all would stand.",
          body: PlanCurve(plan: plan).markup),
        .init(
          id: "reasons", title: "Reasons",
          lead: "What each choice takes, and what its neighbours would have cost or brought.",
          body: reasons),
      ], footer: footer
    ).html
  }

  private var header: Markup {
    let totals = plan.totals
    let gap =
      totals.optimalityGap > 0 ? "at most \(percentText(totals.optimalityGap)) above it" : "reached"
    let tiles = [
      PageTile(
        name: "Size", value: "\(groupedText(predictedByteCount)) bytes", note: "the whole output"),
      PageTile(
        name: "Bits per weight", value: String(format: "%.4f", totals.bitsPerWeight),
        note: "scales counted"),
      PageTile(
        name: plan.measure.heading, value: figureText(totals.loss),
        note: plan.measure.description),
      PageTile(
        name: "Least possible \(plan.measure.noun)", value: gap, note: "for this size"),
    ]
    return """
      <header><p class="kicker">Plan of widths</p><h1>\(title)</h1>
      <p class="path"><code>\(path)</code></p>
      <dl class="tiles">\(tiles.map(\.markup).joined())</dl></header>

      """
  }

  // MARK: - Widths

  private var widths: Markup {
    var roles: [String] = []
    for choice in plan.choices where choice.layer != nil && !roles.contains(choice.role) {
      roles.append(choice.role)
    }
    let layers = Set(plan.choices.compactMap(\.layer)).sorted()
    let cells = Dictionary(grouping: plan.choices) { Place(layer: $0.layer, role: $0.role) }
    let rows = layers.map { layer -> Markup in
      let row = roles.map { cell(cells[Place(layer: layer, role: $0)] ?? []) }.joined()
      return "<tr><th scope=\"row\">\(layer)</th>\(row)</tr>\n"
    }.joined()
    let heads = roles.map { role -> Markup in
      "<th scope=\"col\">\(role.replacing("_", with: " "))</th>"
    }.joined()
    let outside = plan.choices.filter { $0.layer == nil }.map { choice -> Markup in
      "<tr><th scope=\"row\">\(choice.name)</th>\(cell([choice]))</tr>\n"
    }.joined()
    var tables: Markup = ""
    if !layers.isEmpty {
      tables += """
        <div class="scroll" tabindex="0" role="region" aria-label="Widths by layer and role">\
        <table class="heat"><caption>Widths by layer and role, bits / group size</caption>
        <thead><tr><th scope="col">Layer</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>

        """
    }
    if !outside.text.isEmpty {
      tables += """
        <table class="heat outside"><caption>Widths outside the layers</caption>
        <thead><tr><th scope="col">Tensor</th><th scope="col">Width</th></tr></thead>\
        <tbody>\(outside)</tbody></table>
        """
    }
    return tables
  }

  private struct Place: Hashable {
    let layer: Int?
    let role: String
  }

  /// The widths of a role's tensors in a layer: several for experts that differ, which none do.
  private func cell(_ choices: [BitPlan.Choice]) -> Markup {
    guard let first = choices.first else { return "<td class=\"none\"></td>" }
    guard let layout = first.layout else { return "<td class=\"none\">keep</td>" }
    return "<td class=\"c\(layout.bits)\">\(layout.bits) / \(layout.groupSize)</td>"
  }

  // MARK: - Reasons

  private var reasons: Markup {
    let heads = ["Tensor", "Bits", "Group", "Bytes", "Error", "Why"].map { column -> Markup in
      "<th scope=\"col\"><button type=\"button\">\(column)</button></th>"
    }.joined()
    let rows = plan.choices.prefix(TensorTable.limit).map { choice -> Markup in
      let (bits, group) =
        choice.layout.map { ("\($0.bits)", "\($0.groupSize)") } ?? ("keep", "–")
      return """
        <tr><th scope="row">\(choice.name)</th><td>\(bits)</td><td>\(group)</td>\
        <td>\(groupedText(choice.byteCount))</td><td>\(figureText(choice.relativeError))</td>\
        <td class="why">\(choice.reason)</td></tr>

        """
    }.joined()
    let more = plan.choices.count - TensorTable.limit
    let note: Markup =
      more > 0 ? "<p class=\"note\">\(groupedText(more)) more stand in the plan file.</p>" : ""
    return """
      <div class="scroll tall" tabindex="0" role="region" aria-label="Every choice">\
      <table class="sortable"><caption>Every choice</caption>
      <thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>\(note)
      """
  }

  private var footer: Markup {
    """
    <footer><p class="note">The error of a tensor is the squared error of its outputs over their \
    square, with inputs of different channels taken as uncorrelated; the total is their mean by \
    weight. docs/PLAN.md has the formulas.</p><p class="made">decant \(decantVersion)</p></footer>

    """
  }
}
