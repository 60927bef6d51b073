import Convert

/// The widths of a plan as tables: layers by roles, then what is outside the layers.
struct PlanWidths {
  let plan: BitPlan

  private struct Place: Hashable {
    let layer: Int?
    let role: String
  }

  var markup: Markup {
    var roles: [String] = []
    for choice in plan.choices where choice.layer != nil && !roles.contains(choice.role) {
      roles.append(choice.role)
    }
    let layers = Set(plan.choices.compactMap(\.layer)).sorted()
    let cells = Dictionary(grouping: plan.choices) { Place(layer: $0.layer, role: $0.role) }
    let widest = widest(layers)
    let rows = layers.map { layer in
      let row = roles.map { cell(cells[Place(layer: layer, role: $0)] ?? []) }.joined()
      return FoldedTable.Row(
        markup: "<tr><th scope=\"row\">\(layer)</th>\(row)</tr>\n",
        isShown: widest.contains(layer))
    }
    let heads = roles.map { role -> Markup in
      "<th scope=\"col\">\(role.replacing("_", with: " "))</th>"
    }.joined()
    let outside = plan.choices.filter { $0.layer == nil }.map { choice -> Markup in
      "<tr><th scope=\"row\">\(choice.name)</th>\(cell([choice]))</tr>\n"
    }.joined()
    var tables: Markup = ""
    if !layers.isEmpty {
      tables +=
        FoldedTable(rows: rows, shown: "with most bits") { rows, name in
          """
          <div class="scroll" tabindex="0" role="region" aria-label="Widths by layer and role\(name)">\
          <table class="heat"><caption>Widths by layer and role, bits / group size\(name)</caption>
          <thead><tr><th scope="col">Layer</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>

          """
        }.markup
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

  /// The layers that have most bits for a weight.
  private func widest(_ layers: [Int]) -> Set<Int> {
    let bits = layers.map { layer -> (layer: Int, bits: Double) in
      let choices = plan.choices.filter { $0.layer == layer }
      let weights = choices.reduce(0.0) { $0 + $1.shape.reduce(1) { $0 * Double($1) } }
      let byteCount = choices.reduce(0) { $0 + $1.byteCount }
      return (layer, Double(byteCount) / max(1, weights))
    }
    return Set(
      bits.sorted { ($1.bits, $0.layer) < ($0.bits, $1.layer) }.prefix(FoldedTable.few)
        .map(\.layer))
  }

  /// The widths of a role's tensors in a layer: several for experts that differ, which none do.
  private func cell(_ choices: [BitPlan.Choice]) -> Markup {
    guard let first = choices.first else { return "<td class=\"none\"></td>" }
    guard let layout = first.layout else { return "<td class=\"none\">kept</td>" }
    return "<td class=\"c\(layout.bits)\">\(layout.bits) / \(layout.groupSize)</td>"
  }
}
