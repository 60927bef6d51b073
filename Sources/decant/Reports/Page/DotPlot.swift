/// A dot for each row, on a logarithmic scale across, with its error.
struct DotPlot {
  enum Shape {
    case circle, square, triangle
  }

  struct Row {
    let name: String
    let value: Double
    /// To each side of the value.
    let error: Double
    let shape: Shape
    /// Whether it is ringed.
    let isMarked: Bool
  }

  let title: Markup
  /// The title without markup.
  let name: String
  let rows: [Row]
  /// Rows before which there is a gap.
  var groups: Set<Int> = []
  /// A line across all rows.
  var limit: Double?

  private static let (left, top, width, pitch) = (64.0, 8.0, 384.0, 22.0)
  private static let fullWidth = 460.0

  private var height: Double { Self.pitch * (Double(rows.count) + Double(groups.count) / 2) }

  private var scale: LogScale {
    let values = rows.map(\.value) + [limit].compactMap(\.self)
    let largest = values.max() ?? 1
    // What is far below the others, or not above 0, stands at the edge.
    return LogScale(values.filter { $0 > 1e-6 * largest })
  }

  private func x(_ value: Double) -> Double {
    let position = scale.position(value).map { min(max($0, 0), 1) } ?? 0
    return Self.left + Self.width * position
  }

  var markup: Markup {
    var drawing: Markup = ""
    var y = Self.top
    for (index, row) in rows.enumerated() {
      if groups.contains(index) { y += Self.pitch / 2 }
      drawing += self.row(row, y + Self.pitch / 2)
      y += Self.pitch
    }
    return """
      <figure class="curve"><figcaption>\(title)</figcaption>\
      <svg viewBox="0 0 \(Self.fullWidth) \(height + 36)" role="img" aria-label="\(name)">\
      <desc>\(description)</desc>\(grid)\(drawing)</svg></figure>
      """
  }

  private var description: String {
    rows.map { "\($0.name) \(figureText($0.value))" }.joined(separator: ", ") + "."
  }

  private func row(_ row: Row, _ y: Double) -> Markup {
    let place = x(row.value)
    let ring: Markup =
      row.isMarked ? "<circle class=\"ring\" cx=\"\(place)\" cy=\"\(y)\" r=\"9\"/>" : ""
    let ends = (x(row.value - row.error), x(row.value + row.error))
    return """
      <g><title>\(row.name): \(figureText(row.value)) ± \(figureText(row.error))</title>\
      <text class="tick" x="\(Self.left - 10)" y="\(y + 4)" text-anchor="end">\(row.name)</text>\
      <line class="grid" x1="\(Self.left)" x2="\(Self.left + Self.width)" y1="\(y)" y2="\(y)"/>\
      <line class="error" x1="\(ends.0)" x2="\(ends.1)" y1="\(y)" y2="\(y)"/>\
      \(row.shape.mark(place, y, isFilled: row.value > 0))\(ring)</g>
      """
  }

  private var grid: Markup {
    let base = Self.top + height
    var grid: Markup = ""
    for tick in scale.ticks {
      grid += """
        <line class="grid" x1="\(x(tick))" x2="\(x(tick))" y1="\(Self.top)" y2="\(base)"/>\
        <text class="tick" x="\(x(tick))" y="\(base + 17)" text-anchor="middle">\(tickText(tick))</text>
        """
    }
    guard let limit else { return grid }
    grid += """
      <line class="limit" x1="\(x(limit))" x2="\(x(limit))" y1="\(Self.top)" y2="\(base)"/>
      """
    return grid
  }
}

extension DotPlot.Shape {
  /// Around a point; hollow where it stands for what is off the scale.
  func mark(_ x: Double, _ y: Double, isFilled: Bool = true) -> Markup {
    let path =
      switch self {
      case .circle:
        "M\(coordinateText(x - 4.6)) \(coordinateText(y))a4.6 4.6 0 1 1 9.2 0a4.6 4.6 0 1 1 -9.2 0z"
      case .square: "M\(coordinateText(x - 4.2)) \(coordinateText(y - 4.2))h8.4v8.4h-8.4z"
      case .triangle: "M\(coordinateText(x)) \(coordinateText(y - 5.4))l5.4 9.6h-10.8z"
      }
    let style =
      switch self {
      case .circle: "k"
      case .square: "a"
      case .triangle: "v"
      }
    return "<path class=\"mark \(style)\(isFilled ? "" : " hollow")\" d=\"\(path)\"/>"
  }
}
