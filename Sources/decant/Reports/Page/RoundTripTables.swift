import Convert
import Stats

/// What quantizing and decoding again leaves of the signal, by layer.
struct RoundTripTables {
  private struct Column: Hashable {
    let scheme: QuantizationScheme.Name
    let bits: Int
  }

  let measured: MeasuredModel
  private var summaries: [StatisticsSummary] { measured.layerSummaries }
  private var groupSize: Int { measured.options.groupSize }

  var markup: Markup {
    let tables = TensorStatistics.Kind.allCases.map { kind in
      table(kind, summaries.filter { $0.kind == kind })
    }.joined()
    return """
      <div class="trips">\(tables)</div>
      <p class="note">SQNR in dB: 6 dB are about one bit. The better of two ways at the same bits is \
      bold. “exact”: nothing was lost. Of inputs, outlier channels are left out: they take the scale, \
      and the rest is rounded away.\(samplingNote)</p>
      """
  }

  private var samplingNote: Markup {
    guard let worst = summaries.flatMap(\.roundTrips).compactMap(\.samplingError).max() else {
      return ""
    }
    return """
       Of large tensors samples were measured: relative errors are uncertain by \
      \(percentText(worst)) at most.
      """
  }

  private func table(_ kind: TensorStatistics.Kind, _ rows: [StatisticsSummary]) -> Markup {
    var columns: [Column] = []
    var totals: [Column: QuantizationError] = [:]
    for trip in rows.flatMap(\.roundTrips) {
      let column = Column(scheme: trip.scheme.name, bits: trip.bits)
      if totals[column] == nil { columns.append(column) }
      totals[column, default: QuantizationError()].merge(trip.restError)
    }
    guard !columns.isEmpty else { return "" }
    var schemes: [QuantizationScheme.Name] = []
    for column in columns where !schemes.contains(column.scheme) { schemes.append(column.scheme) }
    columns = schemes.flatMap { scheme in columns.filter { $0.scheme == scheme } }

    let groups = schemes.map { scheme -> Markup in
      let span = columns.count { $0.scheme == scheme }
      return "<th scope=\"colgroup\" colspan=\"\(span)\">\(title(scheme))</th>"
    }.joined()
    let bits = columns.map { column -> Markup in
      "<th scope=\"col\">\(column.bits) bits</th>"
    }.joined()
    func row(_ head: String, _ figure: (Column) -> Double?) -> Markup {
      let figures = columns.map(figure)
      let cells = columns.indices.map { index -> Markup in
        let rivals = columns.indices.filter { columns[$0].bits == columns[index].bits }
        let wins =
          rivals.count > 1
          && rivals.allSatisfy { $0 == index || (figures[$0] ?? 0) < (figures[index] ?? 0) }
        return wins
          ? "<td><b>\(decibelText(figures[index]))</b></td>"
          : "<td>\(decibelText(figures[index]))</td>"
      }.joined()
      return "<tr><th scope=\"row\">\(head)</th>\(cells)</tr>\n"
    }
    let notable = measured.notableLayers(kind)
    let folded = rows.map { summary in
      FoldedTable.Row(
        markup: row(summary.layer.map(String.init) ?? "outside") {
          summary.sqnr($0.scheme, bits: $0.bits)
        }, isShown: summary.layer.map(notable.contains) ?? true)
    }
    let total = row("all") { totals[$0]?.sqnrDecibels }
    let table = FoldedTable(rows: folded, shown: HeatMaps.shown) { rows, name in
      """
      <div class="scroll tall" tabindex="0" role="region" aria-label="SQNR of \
      \(kind.title.lowercased())\(name)"><table><caption>SQNR of \(kind.title.lowercased()) in dB\(name)</caption>
      <thead><tr><th scope="col" rowspan="2">Layer</th>\(groups)</tr><tr>\(bits)</tr></thead>
      <tbody class="total">\(total)</tbody>
      <tbody>\(rows)</tbody></table></div>
      """
    }
    return """
      <div class="trip"><h3><span class="key \(kind.style)">\(kind.letter)</span> \(kind.title)</h3>
      \(table.markup)</div>

      """
  }

  private func title(_ scheme: QuantizationScheme.Name) -> String {
    switch scheme {
    case .group: "groups of \(groupSize)"
    case .perTensor: "one scale per tensor"
    case .perToken: "one scale per token"
    case .perTokenGroup: "groups within a token"
    case .perChannelGroup: "groups within a channel"
    }
  }
}
