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

  /// What was found, in words; for every kind a line for layers, with a histogram of |x| and the key figures;
  /// and what follows for widths.
  ///
  /// - Parameter showsAll: whether every layer has a line, not only those that stand out.
  func layers(_ terminal: Terminal, showsAll: Bool) -> String {
    let tables = LayerTables(measured, showsAll: showsAll)
    let sections =
      [section("findings", measured.findings, terminal)] + tables.sections(terminal)
      + [hiddenStates(terminal), importance(terminal), tables.notes(terminal)]
      + [section("advice", measured.advice, terminal)]
    return sections.compactMap(\.self).joined(separator: "\n")
  }

  private func section(
    _ title: String, _ findings: [Finding], _ terminal: Terminal
  ) -> String? {
    findings.isEmpty ? nil : terminal.style.bold(title) + "\n" + findings.text(terminal)
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

  /// A line for each tensor that holds what is no number.
  func damage(_ terminal: Terminal) -> [String] {
    measured.damaged.map { tensor in
      let values = tensor.distribution
      return terminal.style.yellow("warning:")
        + " \(printable(tensor.name)) holds \(values.nanCount) NaN and \(values.infinityCount)"
        + " infinities; its figures are of the other \(values.finiteCount) values"
    }
  }

  /// What must not be overlooked.
  private func notes(_ terminal: Terminal) -> String {
    var lines = [measured.samplingNote].compactMap(\.self) + damage(terminal)
    for problem in measured.problems {
      lines.append(terminal.style.yellow("left out:") + " " + printable(problem.message))
    }
    guard !lines.isEmpty else { return "" }
    return "\n" + lines.flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }
}

extension MeasuredModel {
  /// How certain figures of losses are; nil where every weight was measured.
  var samplingNote: String? {
    largestSamplingError.map {
      "what widths lose was measured on samples of large tensors: relative errors are uncertain by"
        + " \(percent($0)) at most; --exact measures every weight"
    }
  }
}
