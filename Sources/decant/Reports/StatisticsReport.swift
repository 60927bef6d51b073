import Convert
import Formats
import Foundation
import Model
import Stats

extension TensorStatistics {
  /// In the way that is usual for its kind: weights in groups, activations and cache by token.
  var fourBitSQNR: Double? { sqnr(kind.usualScheme, bits: 4) }
}

/// Statistics as text for people.
struct StatisticsReport {
  private let measured: MeasuredModel

  init(_ measured: MeasuredModel) { self.measured = measured }

  /// For every kind, a line for every layer: a histogram of |x| and the key figures.
  func layers(_ terminal: Terminal) -> String {
    let sections = TensorStatistics.Kind.allCases.compactMap { kind in
      section(kind, measured.layerSummaries.filter { $0.kind == kind }, terminal)
    }
    return (sections + [hiddenStates(terminal), importance(terminal)].compactMap(\.self)).joined(
      separator: "\n")
      + notes(terminal)
  }

  /// A line for every layer that hidden states went through.
  private func hiddenStates(_ terminal: Terminal) -> String? {
    guard let energies = measured.energies else { return nil }
    let sum = terminal.isUnicode ? "sum E[x²]" : "sum E[x^2]"
    var table = TextTable([
      .init("layer", .right), .init("cosine", .right), .init(sum, .right), .init("most in"),
      .init(sum, .right),
    ])
    for layer in energies.layers {
      let largest = energies.largest(layer)
      table.append([
        "\(layer)", energies.cosine(layer).map { decimalText($0, 4) } ?? "-",
        figure(energies.total(layer)), largest?.rawValue ?? "-",
        figure(largest.flatMap { energies.sum($0, layer: layer) }),
      ])
    }
    let title =
      "hidden states: cosine similarity of what enters and leaves a layer; its linear inputs"
    return wrap(title, width: terminal.width).map { terminal.style.bold($0) + "\n" }.joined()
      + table.text(style: terminal.style)
  }

  /// A line for every entry of the importance matrices.
  private func importance(_ terminal: Terminal) -> String? {
    guard !measured.importance.isEmpty else { return nil }
    var table = TextTable([
      .init("layer", .right), .init("entry"),
      .init(terminal.isUnicode ? "sum E[x²]" : "sum E[x^2]", .right), .init("max", .right),
      .init("mean", .right), .init("std", .right), .init("active", .right),
      .init("entropy", .right), .init("outliers", .right),
    ])
    for entry in measured.importance {
      let energy = entry.energy
      table.append([
        entry.layer.map { "\($0)" } ?? "",
        printable(entry.name) + (entry.expert > 0 ? ", expert \(entry.expert)" : ""),
        figure(energy.sum), figure(energy.maximum), figure(energy.mean),
        figure(energy.standardDeviation), percent(energy.activeShare),
        percent(energy.normalizedEntropy), percent(energy.outlierShare),
      ])
    }
    return terminal.style.bold("importance matrix: mean square of the inputs, by channel") + "\n"
      + table.text(style: terminal.style)
  }

  /// A line for every tensor.
  func tensors(by order: StatisticsOrder, limit: Int?, _ terminal: Terminal) -> String {
    var table = TextTable([
      .init("tensor"), .init("role"), .init("AbsMax", .right), .init("std", .right),
      .init("kurtosis", .right), .init("crest", .right), .init("channels", .right),
      .init("SQNR 4b", .right),
    ])
    for tensor in order.sort(measured.tensors).prefix(limit ?? .max) {
      let values = tensor.distribution
      table.append([
        printable(tensor.name), tensor.role?.rawValue ?? tensor.kind.rawValue,
        figure(values.absMax.map(Double.init)), figure(values.moments.standardDeviation),
        figure(values.moments.kurtosis), figure(values.crestFactor),
        figure(tensor.channels?.ratio), decibels(tensor.fourBitSQNR),
      ])
    }
    return table.text(style: terminal.style) + notes(terminal)
  }

  /// Columns that a histogram has at least: room for the label of its axis.
  private static let leastAxis = 15
  /// Figures that are left out of a narrow terminal's table, the first of these first.
  private static let dispensable = ["std", "tokens", "8b", "A8", "massive"]

  private func section(
    _ kind: TensorStatistics.Kind, _ summaries: [StatisticsSummary], _ terminal: Terminal
  ) -> String? {
    guard !summaries.isEmpty else { return nil }
    let labels = summaries.map { $0.layer.map { "\($0)" } ?? "outside" }
    let marks = summaries.map { $0.isOutlier ? "!" : "" }
    var titles = columns(kind)
    var rows = summaries.map { figures($0) }
    /// What the figures leave of the line for the histogram.
    func room() -> Int {
      let columns =
        [["layer"] + labels, marks].filter { $0.contains { !$0.isEmpty } }
        + titles.indices.map { index in [titles[index]] + rows.map { $0[index] } }
      let widths = columns.map { 2 + ($0.map(\.count).max() ?? 0) }
      return terminal.width - widths.reduce(0, +)
    }
    for title in Self.dispensable where room() < Self.leastAxis {
      guard let index = titles.firstIndex(of: title) else { continue }
      titles.remove(at: index)
      for row in rows.indices { rows[row].remove(at: index) }
    }
    let axis = MagnitudeAxis(summaries.map(\.histogram), width: max(Self.leastAxis, room()))
    let chart = BarChart(isUnicode: terminal.isUnicode)
    var table = TextTable(
      [.init("layer", .right), .init(axis.label)] + titles.map { .init($0, .right) }
        + [.init("")])
    for (index, summary) in summaries.enumerated() {
      let bars = chart.row(axis.counts(summary.histogram), largest: axis.largest)
      table.append(
        [labels[index], terminal.style.dim(bars)] + rows[index]
          + [terminal.style.yellow(marks[index])])
    }
    let title = wrap(title(kind), width: terminal.width).map { terminal.style.bold($0) + "\n" }
    return title.joined() + table.text(style: terminal.style)
  }

  private func title(_ kind: TensorStatistics.Kind) -> String {
    switch kind {
    case .weight:
      "weights: |x| of the matrices of each layer; SQNR in dB for groups of "
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

  private func columns(_ kind: TensorStatistics.Kind) -> [String] {
    let common = ["AbsMax", "std", "kurtosis", "channels"]
    return switch kind {
    case .weight: common + ["3b", "4b", "8b"]
    case .activation: common + ["tokens", ">=6", "massive", "A4", "A8"]
    case .key, .value, .latent, .rotaryKey: common + ["tokens", "by token", "by chan."]
    }
  }

  private func figures(_ summary: StatisticsSummary) -> [String] {
    let common = [
      figure(Double(summary.absMax)), figure(summary.moments.standardDeviation),
      figure(summary.kurtosis), figure(summary.channelRatio),
    ]
    func ratio(_ scheme: QuantizationScheme.Name, _ bits: Int) -> String {
      decibels(summary.sqnr(scheme, bits: bits))
    }
    return switch summary.kind {
    case .weight: common + [ratio(.group, 3), ratio(.group, 4), ratio(.group, 8)]
    case .activation:
      common + [
        figure(summary.tokenRatio), "\(summary.outlierFeatureCount)", "\(summary.massiveCount)",
        ratio(.perToken, 4), ratio(.perToken, 8),
      ]
    case .key, .value, .latent, .rotaryKey:
      common + [
        figure(summary.tokenRatio), ratio(.perTokenGroup, 4), ratio(.perChannelGroup, 4),
      ]
    }
  }

  /// A line for each tensor that holds what is no number.
  func damage(_ terminal: Terminal) -> [String] {
    measured.damaged.map { tensor in
      let values = tensor.distribution
      return terminal.style.yellow("warning:")
        + " \(printable(tensor.name)) holds \(values.nanCount) NaN and \(values.infinityCount)"
        + " infinities; its figures are of the other \(values.finiteCount) values"
    }
  }

  /// What must not be overlooked, and how the figures are meant.
  private func notes(_ terminal: Terminal) -> String {
    var lines: [String] = []
    if let worst = measured.largestSamplingError {
      lines.append(
        "what widths lose was measured on samples of large tensors: squared errors are uncertain by"
          + " \(percent(worst)) at most; --exact measures every weight")
    }
    lines += damage(terminal)
    for problem in measured.problems {
      lines.append(terminal.style.yellow("left out:") + " " + printable(problem.message))
    }
    for feature in measured.outlierFeatures.prefix(8) {
      lines.append(
        "outlier feature (LLM.int8()): channel \(feature.channel), in \(feature.layerCount) layers,"
          + " at \(percent(feature.tokenShare)) of the tokens")
    }
    for tensor in measured.tensors {
      guard let outliers = tensor.outliers, let largest = outliers.massive.first else { continue }
      lines.append(
        "massive activation: \(printable(tensor.name)) reaches \(figure(Double(largest.value))) at"
          + " token \(largest.row), channel \(largest.column); \(outliers.massiveCount) such")
    }
    guard !terminal.isQuiet else {
      return lines.isEmpty ? "" : paragraph(lines, terminal)
    }
    if measured.layerSummaries.contains(where: \.isOutlier) {
      lines.append(
        "! kurtosis or AbsMax is more than \(Int(StatisticsSummary.outlierRatio)) times that of"
          + " the median layer")
    }
    lines.append(
      "kurtosis: the mean of the tensors', 3 for a normal distribution; channels, tokens: the"
        + " largest AbsMax over the median")
    return paragraph(lines, terminal)
  }

  /// Lines below an empty one, none longer than the terminal is wide.
  private func paragraph(_ lines: [String], _ terminal: Terminal) -> String {
    "\n" + lines.flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }
}
