import Convert

/// AbsMax, standard deviation and kurtosis of every layer, for weights, inputs, keys and values side
/// by side, in the manner of the figures of Qllm-Eval (arXiv 2402.18158).
struct LayerPanels {
  struct Measure: Sendable {
    let name: String
    let figure: @Sendable (StatisticsSummary) -> Double?
  }

  static let measures = [
    Measure(name: "AbsMax") { Double($0.absMax) },
    Measure(name: "Standard deviation") { $0.moments.standardDeviation },
    Measure(name: "Kurtosis") { $0.kurtosis },
  ]

  let figures: LayerFigures

  var markup: Markup {
    let kinds = figures.kinds
    guard !kinds.isEmpty else { return "<p>Nothing was measured inside the layers.</p>" }
    var panels: Markup = ""
    for measure in Self.measures {
      let scale = LogScale(
        kinds.flatMap { figures.summaries($0) }.compactMap { $0.flatMap(measure.figure) })
      for kind in kinds {
        let summaries = figures.summaries(kind)
        panels +=
          LinePanel(
            title: """
              <span class="key \(kind.style)">\(kind.letter)</span> <b>\(kind.title)</b> \(measure.name)
              """,
            name: "\(kind.title), \(measure.name)", axis: .layers(figures.layers), scale: scale,
            lines: [
              .init(style: kind.style, figures: summaries.map { $0.flatMap(measure.figure) })
            ],
            marked: Set(summaries.indices.filter { summaries[$0]?.isLossy == true })
          ).markup
      }
    }
    return """
      <div class="panels n\(kinds.count)">\(panels)</div>
      <p class="note">Layers run from left to right. All panels of a measure share their scale, \
      which is logarithmic. A ring marks a layer of which 4 bits lose more than \
      \(tickText(StatisticsSummary.lossRatio)) times as much as of the median layer (3 dB).</p>
      <details><summary>The same as a table</summary>\(table(kinds))</details>
      """
  }

  private func table(_ kinds: [TensorStatistics.Kind]) -> Markup {
    let groups: Markup = kinds.map { kind in
      """
      <th scope="colgroup" colspan="3">\(kind.title)</th>
      """
    }.joined()
    let titles: Markup = kinds.flatMap { _ in Self.measures }.map { measure in
      """
      <th scope="col">\(measure.name)</th>
      """
    }.joined()
    var rows: Markup = ""
    for (index, layer) in figures.layers.enumerated() {
      rows += "<tr><th scope=\"row\">\(layer)</th>"
      for kind in kinds {
        let summary = figures.summaries(kind)[index]
        for measure in Self.measures {
          rows += "<td>\(figureText(summary.flatMap(measure.figure)))</td>"
        }
      }
      rows += "</tr>\n"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Figures of every layer"><table>
      <caption>Figures of every layer</caption>
      <thead><tr><th scope="col" rowspan="2">Layer</th>\(groups)</tr><tr>\(titles)</tr></thead>
      <tbody>\(rows)</tbody></table></div>
      """
  }
}

/// The summaries of layers, lined up by layer.
struct LayerFigures {
  /// Numbers of all layers that something was measured of, ascending.
  let layers: [Int]
  /// The kinds that were measured.
  let kinds: [TensorStatistics.Kind]
  private let byKind: [TensorStatistics.Kind: [StatisticsSummary?]]

  init(_ measured: MeasuredModel) {
    let inside = measured.layerSummaries.filter { $0.layer != nil }
    let layers = Set(inside.compactMap(\.layer)).sorted()
    let places = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1, $0) })
    var byKind: [TensorStatistics.Kind: [StatisticsSummary?]] = [:]
    for summary in inside {
      guard let layer = summary.layer, let place = places[layer] else { continue }
      byKind[summary.kind, default: Array(repeating: nil, count: layers.count)][place] = summary
    }
    self.layers = layers
    self.byKind = byKind
    kinds = TensorStatistics.Kind.allCases.filter { byKind[$0] != nil }
  }

  /// One for each of `layers`; nil where the layer has nothing of the kind.
  func summaries(_ kind: TensorStatistics.Kind) -> [StatisticsSummary?] {
    byKind[kind] ?? Array(repeating: nil, count: layers.count)
  }
}
