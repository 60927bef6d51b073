import Convert
import Model

/// Tables of layers and roles whose cells are coloured by kurtosis, AbsMax and SQNR.
struct HeatMaps {
  private struct Measure {
    let name: String
    let note: String
    let scale: HeatScale
    let figure: (StatisticsSummary) -> Double?
    let text: (Double?) -> String
    let limitText: (Double) -> String
  }

  private let kinds: [(kind: TensorStatistics.Kind, cells: [StatisticsSummary])]
  private let measured: MeasuredModel

  init(_ measured: MeasuredModel) {
    self.measured = measured
    kinds = [TensorStatistics.Kind.weight, .activation].map {
      ($0, StatisticsSummary.roles(measured.tensors, kind: $0))
    }.filter { !$0.1.isEmpty }
  }

  var markup: Markup {
    var body: Markup = ""
    if kinds.count > 1 {
      body += """
        <fieldset class="choice controls" data-choice="heat"><legend>Show</legend>\
        \(kinds.map { choice($0.kind) }.joined())</fieldset>
        """
    }
    for (kind, cells) in kinds {
      body += """
        <div data-of="heat" data-key="\(kind.rawValue)"><h3>\(kind.title)</h3>
        <div class="maps">\(measures(kind, cells).map { map($0, kind, cells) }.joined())</div></div>

        """
    }
    return body
  }

  /// What `notableLayers` are.
  static let shown = "that stand out or lose most at 4 bits"

  private func choice(_ kind: TensorStatistics.Kind) -> Markup {
    """
    <label><input type="radio" name="heat" value="\(kind.rawValue)"/> \(kind.title)</label>
    """
  }

  private func measures(
    _ kind: TensorStatistics.Kind, _ cells: [StatisticsSummary]
  ) -> [Measure] {
    func sqnr(_ cell: StatisticsSummary) -> Double? { cell.sqnr(kind.usualScheme, bits: 4) }
    let scheme =
      switch kind {
      case .weight: "in groups"
      case .activation: "one scale per token, outlier channels left out"
      case .key, .value, .latent, .rotaryKey: "one scale per token"
      }
    return [
      Measure(
        name: "Kurtosis", note: "3 for a normal distribution; more means heavier tails",
        scale: .kurtosis, figure: \.kurtosis, text: figureText, limitText: tickText),
      Measure(
        name: "AbsMax", note: "largest magnitude",
        scale: .logarithmic(cells.map { Double($0.absMax) }),
        figure: { Double($0.absMax) }, text: figureText, limitText: roughText),
      Measure(
        name: "SQNR at 4 bits", note: "in dB, \(scheme); stronger colour: more is lost",
        scale: .sqnr, figure: sqnr, text: decibelText,
        limitText: tickText),
    ]
  }

  private func map(
    _ measure: Measure, _ kind: TensorStatistics.Kind, _ cells: [StatisticsSummary]
  ) -> Markup {
    let inside = cells.filter { $0.layer != nil }
    let outside = cells.filter { $0.layer == nil }
    var roles: [TensorRole?] = []
    for cell in inside where !roles.contains(cell.role) { roles.append(cell.role) }
    roles.sort { order($0) < order($1) }
    let label = "\(measure.name) of \(kind.title.lowercased()) by layer and role"

    let byLayer = Dictionary(grouping: inside) { $0.layer ?? 0 }
    let notable = measured.notableLayers(kind)
    let rows = byLayer.sorted { $0.key < $1.key }.map { layer, row in
      let cells = roles.map { role in cell(measure, row.first { $0.role == role }) }.joined()
      return FoldedTable.Row(
        markup: "<tr><th scope=\"row\">\(layer)</th>\(cells)</tr>\n",
        isShown: notable.contains(layer))
    }
    var outer: Markup = ""
    for summary in outside {
      outer += """
        <tr><th scope="row">\(roleText(summary.role))</th>\(cell(measure, summary))</tr>

        """
    }
    var tables: Markup = ""
    if !roles.isEmpty {
      let heads = roles.map(head).joined()
      tables +=
        FoldedTable(rows: rows, shown: Self.shown) { rows, name in
          """
          <div class="scroll" tabindex="0" role="region" aria-label="\(label)\(name)"><table class="heat">
          <caption>\(label)\(name)</caption>
          <thead><tr><th scope="col">Layer</th>\(heads)</tr></thead>
          <tbody>\(rows)</tbody></table></div>
          """
        }.markup
    }
    if !outside.isEmpty {
      tables += """
        <table class="heat outside"><caption>\(measure.name) outside the layers</caption>
        <thead><tr><th scope="col">Outside the layers</th><th scope="col">\(measure.name)</th></tr>\
        </thead><tbody>\(outer)</tbody></table>
        """
    }
    return """
      <div class="map" style="flex-basis:\(46 * (roles.count + 1))px"><h4>\(measure.name) <small>\(measure.note)</small></h4>
      \(measure.scale.legend(measure.limitText))\(tables)</div>

      """
  }

  private func head(_ role: TensorRole?) -> Markup {
    """
    <th scope="col">\(roleText(role))</th>
    """
  }

  private func cell(_ measure: Measure, _ summary: StatisticsSummary?) -> Markup {
    guard let summary else { return "<td class=\"none\"></td>" }
    let figure = measure.figure(summary)
    guard let step = measure.scale.step(figure) else {
      return "<td class=\"none\">\(measure.text(figure))</td>"
    }
    return "<td class=\"c\(step)\">\(measure.text(figure))</td>"
  }

  private func order(_ role: TensorRole?) -> Int {
    role.flatMap { TensorRole.allCases.firstIndex(of: $0) } ?? TensorRole.allCases.count
  }
}

/// A role's name; that of no role, `other`.
func roleText(_ role: TensorRole?) -> String {
  (role ?? .other).rawValue.replacing("_", with: " ")
}
