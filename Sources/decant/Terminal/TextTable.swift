/// Rows in aligned columns under their titles, two spaces apart.
///
/// Cells may carry a `Style`; other escapes and line breaks must have gone through `printable`.
struct TextTable: Sendable {
  enum Alignment: Sendable { case left, right }

  struct Column: Sendable {
    let title: String
    let alignment: Alignment

    init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: [Column]) {
    self.columns = columns
  }

  /// - Parameter cells: one for each column.
  mutating func append(_ cells: [String]) {
    precondition(cells.count == columns.count)
    rows.append(cells)
  }

  /// A line for the titles and one for each row, each ended; no line ends in spaces.
  func text(style: Style) -> String {
    let lines = [columns.map { style.bold($0.title) }] + rows
    let widths = columns.indices.map { column in
      lines.map { displayWidth($0[column]) }.max() ?? 0
    }
    return lines.map { line($0, widths) + "\n" }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    // Spaces that are still to come, and are dropped if no cell follows.
    var gap = 0
    for (column, cell) in cells.enumerated() {
      let padding = widths[column] - displayWidth(cell)
      if columns[column].alignment == .right { gap += padding }
      if !cell.isEmpty {
        line += String(repeating: " ", count: gap) + cell
        gap = 0
      }
      gap += 2 + (columns[column].alignment == .left ? padding : 0)
    }
    return line
  }
}

/// Columns that `text` takes: one for each character, none for the escapes of a `Style`.
///
/// Right for ASCII, Latin and block characters; wide East Asian characters count as one too.
func displayWidth(_ text: String) -> Int {
  // Most cells are plain, and there may be many.
  if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text.utf8.count }
  var width = 0
  var isEscape = false
  for character in text {
    if character == "\u{1b}" {
      isEscape = true
    } else if isEscape {
      isEscape = character != "m"
    } else {
      width += 1
    }
  }
  return width
}
