/// A table that can be put into a document as it is, and read as it is.
struct MarkdownTable {
  private var rows: [[String]]
  private let numeric: ClosedRange<Int>

  /// - Parameter numeric: columns that are set flush right.
  init(_ header: [String], numeric: ClosedRange<Int>) {
    rows = [header]
    self.numeric = numeric
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  var isEmpty: Bool { rows.count == 1 }

  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    var lines = rows.map { row in
      "| " + row.indices.map { padded(row[$0], $0, widths[$0]) }.joined(separator: " | ") + " |"
    }
    let rule = widths.indices.map { column in
      String(repeating: "-", count: widths[column] + 1)
        + (numeric.contains(column) ? ":" : "-")
    }
    lines.insert("|" + rule.joined(separator: "|") + "|", at: 1)
    return lines.joined(separator: "\n") + "\n"
  }

  private func padded(_ cell: String, _ column: Int, _ width: Int) -> String {
    let space = String(repeating: " ", count: width - cell.count)
    return numeric.contains(column) ? space + cell : cell + space
  }
}
