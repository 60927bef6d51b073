import Convert
import Formats
import Foundation

/// What a validation found: as JSON, and as text for people.
struct ValidationReportText {
  let path: String
  let report: ValidationReport

  var json: JSONValue {
    [
      "path": .string(path), "ok": .bool(report.findings.isEmpty),
      "findings": .array(
        report.findings.map { finding in
          [
            "file": .string(finding.file),
            "tensor": finding.tensor.map { .string($0) } ?? .null,
            "rule": .string(finding.rule), "message": .string(finding.message),
          ]
        }),
      "recorded": .bool(report.isRecorded),
      "distances": report.distances.map { .array($0.map(Self.json)) } ?? .null,
    ]
  }

  private static func json(_ distance: MatrixDistance) -> JSONValue {
    [
      "file": .string(distance.file), "tensor": .string(distance.tensor),
      "bits": distance.layout.map { .integer($0.bits) } ?? .null,
      "group_size": distance.layout.map { .integer($0.groupSize) } ?? .null,
      "relative_error": .double(distance.error.relativeError),
      "sqnr_db": .double(distance.error.sqnrDecibels),
      "largest_error": .double(distance.error.largestError),
    ]
  }

  /// Findings are always told; what holds, and the distances, unless the terminal is quiet.
  func text(_ terminal: Terminal) -> String {
    var text = report.findings.map {
      terminal.style.red($0.rule) + "  " + printable($0.message) + "\n"
    }.joined()
    if !report.findings.isEmpty {
      text += "\(report.findings.count) \(report.findings.count == 1 ? "finding" : "findings")\n"
    } else if !terminal.isQuiet {
      text +=
        report.isRecorded
        ? "\(printable(path)): all holds\n"
        : "\(printable(path)): packed parts fit one another, and scales are finite;"
          + " decant did not write it, so that there are no checksums to hold it against\n"
    }
    if !terminal.isQuiet, let distances = report.distances, !distances.isEmpty {
      text += "\ndistance of every weight matrix from its source\n"
      text += table(distances).text(style: terminal.style)
    }
    return text
  }

  private func table(_ distances: [MatrixDistance]) -> TextTable {
    var table = TextTable([
      .init("tensor"), .init("bits", .right), .init("group size", .right),
      .init("relative error", .right), .init("SQNR dB", .right), .init("largest error", .right),
    ])
    for distance in distances {
      let error = distance.error
      table.append([
        printable(distance.tensor), distance.layout.map { "\($0.bits)" } ?? "kept",
        distance.layout.map { "\($0.groupSize)" } ?? "",
        error.relativeError.map { figure($0) } ?? "",
        error.sqnrDecibels.flatMap { $0.isFinite ? String(format: "%.1f", $0) : nil } ?? "",
        figure(error.largestError),
      ])
    }
    return table
  }
}
