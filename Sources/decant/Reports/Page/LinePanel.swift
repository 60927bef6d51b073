/// A small chart of figures by layer: lines over a shared axis of layers, or of depth, with the figures on a
/// logarithmic scale.
struct LinePanel {
  /// One figure for each layer; nil where a layer has none.
  struct Line {
    /// Of the style: `w`, `a`, `k`, `v`, or `m0` to `m5` of models; `token` is drawn dashed.
    let style: String
    /// Where lines are of different things.
    var name = ""
    let figures: [Double?]
  }

  enum Axis {
    /// Their numbers; every line has a figure for each.
    case layers([Int])
    /// From the first layer to the last, of lines with different numbers of layers; told at so many places.
    case depth(steps: Int)
  }

  let title: Markup
  /// The title without markup, for those who do not see the chart, and for the tooltip.
  let name: String
  let axis: Axis
  let scale: LogScale
  let lines: [Line]
  /// Positions on the axis that are ringed.
  var marked: Set<Int> = []

  private static let (left, top, width, height) = (38.0, 8.0, 196.0, 104.0)
  private static let (fullWidth, fullHeight) = (240.0, 136.0)

  var markup: Markup {
    """
    <figure class="panel chart" tabindex="0" role="group" aria-label="\(description)" \
    data-name="\(name)" data-x="\(Self.left)" data-w="\(Self.width)" data-n="\(columns.count)" \
    data-along="\(along)" data-layers="\(columns.joined(separator: " "))" data-values="\(tipText)"><figcaption>\(title)</figcaption>
    <svg viewBox="0 0 \(Self.fullWidth) \(Self.fullHeight)" aria-hidden="true">\(grid)\(drawing)\
    <line class="cursor" y1="\(Self.top)" y2="\(Self.top + Self.height)"/></svg></figure>

    """
  }

  /// What the axis is of.
  private var along: String {
    switch axis {
    case .layers: "layer"
    case .depth: "depth"
    }
  }

  /// What a reader is told of the places along the axis.
  private var columns: [String] {
    switch axis {
    case .layers(let layers): layers.map(String.init)
    case .depth(let steps):
      (0..<steps).map { "\(Int((100 * (Double($0) + 0.5) / Double(steps)).rounded()))%" }
    }
  }

  /// What the chart says in a sentence.
  private var description: String {
    let texts = lines.enumerated().compactMap { index, line -> String? in
      let figures = line.figures.compactMap { $0 }
      guard let least = figures.min(), let most = figures.max() else { return nil }
      let range = "from \(figureText(least)) to \(figureText(most))"
      switch axis {
      case .depth: return "\(line.name) \(range)"
      case .layers(let layers):
        // The second line is another measure of the same layers.
        guard index == 0, let place = line.figures.firstIndex(of: most) else { return nil }
        return "\(range), the largest in layer \(layers[place])"
      }
    }
    guard !texts.isEmpty else { return "\(name): no figures" }
    return "\(name) by \(along): \(texts.joined(separator: "; ")). Arrow keys tell the figures."
  }

  private var tipText: String {
    let count = columns.count
    return (0..<count).map { column in
      lines.map { line in
        // The line's layer at this depth.
        let index = (2 * column + 1) * line.figures.count / (2 * count)
        return figureText(line.figures.isEmpty ? nil : line.figures[index])
      }.joined(separator: " / ")
    }.joined(separator: "|")
  }

  private func x(_ index: Int, of count: Int) -> Double {
    Self.left + Self.width * (Double(index) + 0.5) / Double(count)
  }

  private func y(_ position: Double) -> Double { Self.top + Self.height * (1 - position) }

  private var grid: Markup {
    var grid: Markup = ""
    for tick in scale.ticks {
      let height = y(scale.position(tick) ?? 0)
      grid += """
        <line class="grid" x1="\(Self.left)" x2="\(Self.left + Self.width)" y1="\(height)" \
        y2="\(height)"/><text class="tick" x="\(Self.left - 5)" y="\(height + 4)" \
        text-anchor="end">\(tickText(tick))</text>
        """
    }
    let labels: [(Double, String)] =
      switch axis {
      case .layers(let layers):
        layerTicks(layers).map { (x($0, of: layers.count), "\(layers[$0])") }
      case .depth:
        [0, 25, 50, 75, 100].map { (Self.left + Self.width * Double($0) / 100, "\($0)") }
      }
    for (place, label) in labels {
      grid += """
        <text class="tick" x="\(place)" y="\(Self.fullHeight - 8)" \
        text-anchor="middle">\(label)</text>
        """
    }
    return grid
  }

  private var drawing: Markup {
    var drawing: Markup = ""
    for line in lines {
      // A path with one move for each stretch of layers without a gap.
      var path = ""
      var dots = ""
      var isDrawing = false
      for (index, figure) in line.figures.enumerated() {
        guard let position = scale.position(figure) else {
          isDrawing = false
          continue
        }
        let place =
          "\(coordinateText(x(index, of: line.figures.count))) \(coordinateText(y(position)))"
        path += (isDrawing ? "L" : "M") + place
        dots += "M" + place + "h0"
        isDrawing = true
      }
      drawing += """
        <path class="line \(line.style)" d="\(path)"/><path class="dots \(line.style)\
        \(line.figures.count > 40 ? " fine" : "")" d="\(dots)"/>
        """
    }
    for index in marked.sorted() {
      guard let position = scale.position(lines[0].figures[index]) else { continue }
      drawing += """
        <circle class="ring" cx="\(x(index, of: lines[0].figures.count))" cy="\(y(position))" r="6"/>
        """
    }
    return drawing
  }
}

/// A figure on an axis, short.
func tickText(_ value: Double) -> String {
  let text = figureText(value)
  guard text.contains("."), !text.contains("e") else {
    return text.replacing(".00e", with: "e")
  }
  let short = text.reversed().drop { $0 == "0" }
  return String((short.first == "." ? short.dropFirst() : short).reversed())
}

/// Positions of the layers whose numbers stand at the axis: at most nine, evenly spaced.
func layerTicks(_ layers: [Int]) -> [Int] {
  let step = [1, 2, 4, 5, 10, 20, 25, 50, 100].first { layers.count <= 9 * $0 }
  return Array(stride(from: 0, to: layers.count, by: step ?? (layers.count + 8) / 9))
}
