import Convert

/// Statistics of several models as one page.
struct ComparisonPage {
  let comparison: ModelComparison
  /// As it was typed.
  let command: String

  private var title: String { comparison.names.joined(separator: ", ") }

  var html: String {
    PageFrame(
      title: "\(title): outlier statistics",
      header: header,
      sections: [
        .init(
          id: "models", title: "Side by side",
          lead: "What the tensors inside the layers of each model are like.",
          body: tables),
        .init(
          id: "layers", title: "Along the depth",
          lead: """
            How large, how spread and how heavy-tailed each kind of tensor is, from the first layer to the \
            last.
            """,
          body: DepthPanels(comparison: comparison).markup),
        .init(
          id: "all", title: "All layers",
          lead: "The figures of every line. A click on a column’s head sorts.", body: layers),
      ], footer: PageFooter(options: comparison.models[0].options).markup,
      origin: PageOrigin(
        command: command, models: comparison.models.map { ($0.path, $0.files) },
        data: ComparisonReport(comparison).briefJSON, remark: StatisticsDocument.brief)
    ).html
  }

  private var header: Markup {
    let paths = comparison.models.map { model -> Markup in
      "<p class=\"path\"><code>\(model.path)</code></p>\n"
    }.joined()
    return """
      <header><p class="kicker">Outlier statistics, compared</p><h1>\(title)</h1>
      \(paths)</header>

      """
  }

  private var tables: Markup {
    let names = comparison.names
    let heads = [
      "Model", "Layers", "AbsMax", "Std", "Kurtosis, median", "Largest", "In layer",
      "Channel ratio",
      "SQNR at 4 bits",
    ].map { name -> Markup in "<th scope=\"col\">\(name)</th>" }.joined()
    return comparison.kinds.map { kind -> Markup in
      let rows = comparison.rows(kind).map { row -> Markup in
        """
        <tr><th scope="row">\(names[row.model])</th><td>\(row.layerCount)</td>\
        <td>\(figureText(row.absMax))</td><td>\(figureText(row.standardDeviation))</td>\
        <td>\(figureText(row.kurtosis))</td><td>\(figureText(row.worst?.kurtosis))</td>\
        <td>\(row.worst.map { "\($0.layer)" } ?? "–")</td><td>\(figureText(row.channelRatio))</td>\
        <td>\(decibelText(row.sqnr))</td></tr>

        """
      }.joined()
      return """
        <h3 class="kind"><span class="key \(kind.style)">\(kind.letter)</span> \(kind.title)</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="\(kind.title) of the models"><table>\
        <caption>\(kind.title) of the models</caption><thead><tr>\(heads)</tr></thead>\
        <tbody>\(rows)</tbody></table></div>

        """
    }.joined()
  }

  private var layers: Markup {
    let heads = ["Model", "Kind", "Layer"] + LayerPanels.measures.map(\.name)
    let columns = heads.map { name -> Markup in
      "<th scope=\"col\"><button type=\"button\">\(name)</button></th>"
    }.joined()
    let names = comparison.names
    let rows = comparison.models.enumerated().map { index, model -> Markup in
      model.layerSummaries.map { summary -> Markup in
        guard let layer = summary.layer else { return "" }
        let cells = LayerPanels.measures.map { measure -> Markup in
          "<td>\(figureText(measure.figure(summary)))</td>"
        }.joined()
        return """
          <tr><th scope="row">\(names[index])</th><td>\(summary.kind.title)</td>\
          <td>\(layer)</td>\(cells)</tr>

          """
      }.joined()
    }.joined()
    return """
      <div class="scroll tall" tabindex="0" role="region" aria-label="All layers"><table \
      class="sortable layers"><caption>All layers</caption><thead><tr>\(columns)</tr></thead>\
      <tbody>\(rows)</tbody></table></div>
      """
  }
}
