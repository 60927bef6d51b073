/// A table of layers, of which many are folded away: those that a reader should see first stand before.
struct FoldedTable {
  struct Row {
    let markup: Markup
    /// Whether it is shown where not all are.
    let isShown: Bool
  }

  /// Rows up to which nothing is folded.
  static let limit = 24
  /// Rows that are worth standing alone.
  static let few = 8

  let rows: [Row]
  /// What those that are shown have in common, after `the layers`.
  let shown: String
  /// A table of rows, with what its name ends in: names differ.
  let table: (_ rows: Markup, _ name: String) -> Markup

  var markup: Markup {
    let all = rows.map(\.markup).joined()
    guard rows.count > Self.limit else { return table(all, "") }
    let first = rows.filter(\.isShown)
    let part: Markup =
      first.isEmpty ? "" : table(first.map(\.markup).joined(), ", the layers \(shown)")
    return """
      \(part)<details><summary>All layers\(first.isEmpty ? "" : "; above are those \(shown)")\
      </summary>\(table(all, ""))</details>

      """
  }
}
