import Convert

/// Several models side by side, as text for people and as JSON.
struct ComparisonReport {
  private let comparison: ModelComparison

  init(_ comparison: ModelComparison) { self.comparison = comparison }

  /// For every kind, a line for every model.
  func text(_ terminal: Terminal) -> String {
    let names = comparison.names
    let sections = comparison.kinds.map { kind in
      var table = TextTable([
        .init("model"), .init("layers", .right), .init("AbsMax", .right), .init("std", .right),
        .init("kurtosis", .right), .init("largest", .right), .init("in layer", .right),
        .init("channels", .right), .init("4b", .right),
      ])
      for row in comparison.rows(kind) {
        table.append([
          printable(names[row.model]), "\(row.layerCount)", figure(row.absMax),
          figure(row.standardDeviation), figure(row.kurtosis), figure(row.worst?.kurtosis),
          row.worst.map { "\($0.layer)" } ?? "-", figure(row.channelRatio), decibels(row.sqnr),
        ])
      }
      return terminal.style.bold(kind.title.lowercased()) + "\n"
        + table.text(style: terminal.style)
    }
    let notes = comparison.models.flatMap { StatisticsReport($0).damage(terminal) }
    let words =
      terminal.isQuiet
      ? []
      : [
        "kurtosis: the median of the layers, and the largest; channels: the largest AbsMax over the"
          + " median; 4b: SQNR in dB at 4 bits"
      ]
    let lines = (notes + words).flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }
    return (sections + (lines.isEmpty ? [] : [lines.joined()])).joined(separator: "\n")
  }

  /// The documents of the models, one after the other.
  ///
  /// - Parameter isBrief: as for `StatisticsDocument`.
  func writeJSON(isBrief: Bool = false, _ put: (String) throws -> Void) rethrows {
    try put("{\"models\":[\n")
    for (index, model) in comparison.models.enumerated() {
      if index > 0 { try put(",\n") }
      try StatisticsDocument(model, isBrief: isBrief).write(put)
    }
    try put("]}\n")
  }

  /// For a page.
  var briefJSON: String {
    var text = ""
    writeJSON(isBrief: true) { text += $0 }
    return text
  }
}
