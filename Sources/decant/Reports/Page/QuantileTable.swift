import Forward

/// Quantiles of what single tokens give, as a table.
struct QuantileTable {
  let title: String
  let columns: [(name: String, values: Percentiles, mean: Double)]

  private static let shares: [(String, Double)] = [
    ("least", 0), ("1 %", 0.01), ("10 %", 0.1), ("median", 0.5), ("90 %", 0.9), ("95 %", 0.95),
    ("99 %", 0.99), ("99.9 %", 0.999), ("largest", 1),
  ]

  var markup: Markup {
    let heads = columns.map { column -> Markup in "<th scope=\"col\">\(column.name)</th>" }.joined()
    func row(_ name: String, _ figure: (Int) -> Double) -> Markup {
      let cells = columns.indices.map { index -> Markup in
        "<td>\(figureText(figure(index)))</td>"
      }.joined()
      return "<tr><th scope=\"row\">\(name)</th>\(cells)</tr>\n"
    }
    let rows = Self.shares.map { name, share in row(name) { columns[$0].values[share: share] } }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(title)"><table>\
      <caption>\(title)</caption><thead><tr><th scope="col">Share of tokens with less</th>\(heads)</tr></thead>\
      <tbody class="total">\(row("mean") { columns[$0].mean })</tbody>\
      <tbody>\(rows.joined())</tbody></table></div>
      """
  }
}
