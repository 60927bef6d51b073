import Convert
import Formats
import Stats

/// For every kind of tensor a table of layers: a histogram of magnitudes and the key figures.
struct LayerTables {
  private let measured: MeasuredModel
  private let showsAll: Bool

  /// Fewer layers than this are all shown.
  private static let few = 9
  /// Columns that a histogram has at least: room for the title of its axis.
  private static let leastAxis = 17
  /// Figures that are left out of a narrow terminal's table, the first of these first.
  private static let dispensable = ["std", "tokens", "A8", "massive", "channels", "6b", "2b"]

  init(_ measured: MeasuredModel, showsAll: Bool) {
    self.measured = measured
    self.showsAll = showsAll
  }

  func sections(_ terminal: Terminal) -> [String?] {
    TensorStatistics.Kind.allCases.map { kind in
      section(kind, measured.layerSummaries.filter { $0.kind == kind }, terminal)
    }
  }

  /// Those outside the layers, those that stand out, and those of the largest loss at 4 bits.
  private func shown(
    _ kind: TensorStatistics.Kind, _ summaries: [StatisticsSummary]
  ) -> [StatisticsSummary] {
    guard !showsAll, summaries.count > Self.few else { return summaries }
    let notable = measured.notableLayers(kind)
    return summaries.filter { $0.layer.map(notable.contains) ?? true }
  }

  private struct Row {
    let label: String
    let counts: [Int]
    var figures: [String]
  }

  private func section(
    _ kind: TensorStatistics.Kind, _ summaries: [StatisticsSummary], _ terminal: Terminal
  ) -> String? {
    guard !summaries.isEmpty else { return nil }
    let shown = shown(kind, summaries)
    let hasMarks = shown.contains(where: \.isLossy)
    let columns = columns(kind)
    var titles = columns.map(\.title)
    let labels = shown.map { label($0, hasMarks: hasMarks) }
    var rows = shown.map { summary in columns.map { $0.text($0.figure(summary)) } }
    let inside = summaries.filter { $0.layer != nil }
    let hasMedian = inside.count > 2
    if hasMedian {
      rows.append(
        columns.map { column in
          let figures = inside.compactMap(column.figure)
          return column.text(figures.isEmpty ? nil : StatisticsSummary.median(figures))
        })
    }
    let allLabels = ["layer"] + labels + (hasMedian ? ["median"] : [])
    /// What the figures leave of the line for the histogram.
    func room() -> Int {
      let cells =
        [allLabels] + titles.indices.map { index in [titles[index]] + rows.map { $0[index] } }
      return terminal.width - cells.reduce(0) { $0 + 2 + ($1.map(\.count).max() ?? 0) }
    }
    for title in Self.dispensable where room() < Self.leastAxis {
      guard let index = titles.firstIndex(of: title) else { continue }
      titles.remove(at: index)
      for row in rows.indices { rows[row].remove(at: index) }
    }
    let axis = MagnitudeAxis(shown.map(\.histogram), width: max(Self.leastAxis, room()))
    let chart = BarChart(isUnicode: terminal.isUnicode)
    var table = TextTable(
      [.init("layer", .right), .init(axis.label)] + titles.map { .init($0, .right) })
    for (index, summary) in shown.enumerated() {
      let bars = chart.row(axis.counts(summary.histogram), largest: axis.largest)
      table.append(
        [summary.isLossy ? terminal.style.yellow(labels[index]) : labels[index]]
          + [terminal.style.dim(bars)] + rows[index])
    }
    if hasMedian { table.append(["median", ""] + rows[shown.count]) }
    let words = title(kind) + (shown.count < summaries.count ? ". \(hidden(summaries, shown))" : "")
    let head = wrap(words, width: terminal.width).map { terminal.style.bold($0) + "\n" }
    return head.joined() + table.text(style: terminal.style)
  }

  private func hidden(_ all: [StatisticsSummary], _ shown: [StatisticsSummary]) -> String {
    "\(all.count - shown.count) of \(all.count) layers are not shown: --all lists them"
  }

  /// Numbers stand below each other, marked or not.
  private func label(_ summary: StatisticsSummary, hasMarks: Bool) -> String {
    guard let layer = summary.layer else { return "outside" }
    return "\(layer)" + (summary.isLossy ? " !" : hasMarks ? "  " : "")
  }

  private func title(_ kind: TensorStatistics.Kind) -> String {
    switch kind {
    case .weight:
      "weights: the matrices of each layer; SQNR in dB at 2 to 8 bits in groups of "
        + "\(measured.options.groupSize), \(measured.options.method.rawValue)"
    case .activation:
      "activations: inputs of layers; SQNR in dB by token, without outlier channels"
    case .key: "keys\(rotation): SQNR in dB at 4 bits, by token and by channel"
    case .value: "values: SQNR in dB at 4 bits, by token and by channel"
    case .latent: "latent vectors of the cache: SQNR in dB at 4 bits, by token and by channel"
    case .rotaryKey: "rotary keys\(rotation): SQNR in dB at 4 bits, by token and by channel"
    }
  }

  /// What the dumps say of the keys, where they all say the same.
  private var rotation: String {
    let found = Set(
      measured.tensors.filter { $0.kind == .key || $0.kind == .rotaryKey }.map(\.rotation))
    guard found.count == 1, let rotation = found.first ?? nil else { return "" }
    return switch rotation {
    case .before: " before RoPE"
    case .after: " after RoPE"
    case .none: ", without RoPE"
    }
  }

  private struct Column {
    let title: String
    let figure: (StatisticsSummary) -> Double?
    var text: (Double?) -> String = { decant.figure($0) }

    static func sqnr(_ title: String, _ scheme: QuantizationScheme.Name, _ bits: Int) -> Column {
      Column(title: title, figure: { $0.sqnr(scheme, bits: bits) }, text: { decibels($0) })
    }

    static func count(_ title: String, _ count: @escaping (StatisticsSummary) -> Int) -> Column {
      Column(
        title: title, figure: { Double(count($0)) },
        text: { $0.map { coordinateText($0) } ?? "-" })
    }
  }

  private func columns(_ kind: TensorStatistics.Kind) -> [Column] {
    let common = [
      Column(title: "AbsMax", figure: { Double($0.absMax) }),
      Column(title: "std", figure: { $0.moments.standardDeviation }),
      Column(title: "kurtosis", figure: \.kurtosis),
      Column(title: "channels", figure: \.channelRatio),
    ]
    let tokens = Column(title: "tokens", figure: \.tokenRatio)
    return switch kind {
    case .weight:
      common + MeasureOptions.weightBits.map { Column.sqnr("\($0)b", .group, $0) }
    case .activation:
      common + [
        tokens, .count(">=6", \.outlierFeatureCount), .count("massive", \.massiveCount),
        .sqnr("A4", .perToken, 4), .sqnr("A8", .perToken, 8),
      ]
    case .key, .value, .latent, .rotaryKey:
      common + [
        tokens, .sqnr("by token", .perTokenGroup, 4), .sqnr("by chan.", .perChannelGroup, 4),
      ]
    }
  }

  /// How the figures are meant; nil where nobody wants to read it.
  func notes(_ terminal: Terminal) -> String? {
    var lines = [measured.samplingNote].compactMap(\.self)
    if !terminal.isQuiet {
      if measured.layerSummaries.contains(where: \.isLossy) {
        lines.append(
          "! 4 bits lose more than \(Int(StatisticsSummary.lossRatio)) times as much of it as of the"
            + " median layer (3 dB)")
      }
      lines.append(
        "|x|: magnitudes, on a logarithmic axis; kurtosis: the mean of the tensors', 3 for a normal"
          + " distribution; channels, tokens: the largest AbsMax over the median")
    }
    guard !lines.isEmpty else { return nil }
    return lines.flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }
}
