import Convert

/// AbsMax, standard deviation and kurtosis along the depth of several models, a line for each, in the manner of
/// the figures of Qllm-Eval (arXiv 2402.18158).
struct DepthPanels {
  let comparison: ModelComparison

  var markup: Markup {
    let kinds = comparison.kinds
    guard !kinds.isEmpty else { return "<p>Nothing was measured inside the layers.</p>" }
    let figures = comparison.models.map { LayerFigures($0) }
    var panels: Markup = ""
    for measure in LayerPanels.measures {
      let scale = LogScale(
        figures.flatMap { model in
          kinds.flatMap { model.summaries($0).compactMap { $0.flatMap(measure.figure) } }
        })
      for kind in kinds {
        let lines = figures.enumerated().map { index, model in
          LinePanel.Line(
            style: Self.style(index), name: comparison.names[index],
            figures: model.summaries(kind).map { $0.flatMap(measure.figure) })
        }
        panels +=
          LinePanel(
            title: """
              <span class="key \(kind.style)">\(kind.letter)</span> <b>\(kind.title)</b> \
              \(measure.name)
              """,
            name: "\(kind.title), \(measure.name)",
            axis: .depth(steps: figures.map(\.layers.count).max() ?? 1), scale: scale,
            lines: lines
          ).markup
      }
    }
    return """
      \(legend)<div class="panels n\(kinds.count)">\(panels)</div>
      <p class="note">Depth runs from left to right, in % of the layers: the first layer of each \
      model is at the left, its last at the right, however many there are. All panels of a measure share their scale, which is \
      logarithmic.</p>
      """
  }

  private var legend: Markup {
    let items = comparison.names.enumerated().map { index, name -> Markup in
      """
      <li><svg class="swatch" viewBox="0 0 34 8" aria-hidden="true"><path class="line \
      \(Self.style(index))" d="M0 4h34"/></svg> \(name)</li>
      """
    }.joined()
    return "<ul class=\"facts\" aria-label=\"Lines\">\(items)</ul>"
  }

  /// There are six colours, each with dashes of its own.
  private static func style(_ model: Int) -> String { "m\(model % 6)" }
}
