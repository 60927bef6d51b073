/// A small chart of figures by layer: one or two lines over a shared axis of layers, with the
/// figures on a logarithmic scale.
struct LinePanel {
  /// One figure for each layer of the axis; nil where a layer has none.
  struct Line {
    /// Of the style: `w`, `a`, `k`, `v`; `token` is drawn dashed.
    let style: String
    let figures: [Double?]
  }

  let title: Markup
  /// The title without markup, for those who do not see the chart, and for the tooltip.
  let name: String
  /// Numbers of the layers along the axis.
  let layers: [Int]
  let scale: LogScale
  let lines: [Line]
  /// Positions on the axis that are ringed.
  var marked: Set<Int> = []

  private static let (left, top, width, height) = (38.0, 8.0, 196.0, 104.0)
  private static let (fullWidth, fullHeight) = (240.0, 136.0)

  var markup: Markup {
    """
    <figure class="panel chart" tabindex="0" role="group" aria-label="\(description)" \
    data-name="\(name)" data-x="\(Self.left)" data-w="\(Self.width)" data-n="\(layers.count)" \
    data-layers="\(layers.map(String.init).joined(separator: " "))" data-values="\(tipText)"><figcaption>\(title)</figcaption>
    <svg viewBox="0 0 \(Self.fullWidth) \(Self.fullHeight)" aria-hidden="true">\(grid)\(drawing)\
    <line class="cursor" y1="\(Self.top)" y2="\(Self.top + Self.height)"/></svg></figure>

    """
  }

  /// What the chart says in a sentence.
  private var description: String {
    let figures = lines[0].figures.compactMap { $0 }
    guard let least = figures.min(), let most = figures.max() else { return "\(name): no figures" }
    let place = lines[0].figures.firstIndex { $0 == most } ?? 0
    return "\(name) by layer: from \(figureText(least)) to \(figureText(most)),"
      + " the largest in layer \(layers[place]). Arrow keys tell the figures."
  }

  private var tipText: String {
    layers.indices.map { index in
      lines.map { figureText($0.figures[index]) }.joined(separator: " / ")
    }.joined(separator: "|")
  }

  private func x(_ index: Int) -> Double {
    Self.left + Self.width * (Double(index) + 0.5) / Double(layers.count)
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
    for index in layerTicks(layers) {
      grid += """
        <text class="tick" x="\(x(index))" y="\(Self.fullHeight - 8)" \
        text-anchor="middle">\(layers[index])</text>
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
        let place = "\(coordinateText(x(index))) \(coordinateText(y(position)))"
        path += (isDrawing ? "L" : "M") + place
        dots += "M" + place + "h0"
        isDrawing = true
      }
      drawing += """
        <path class="line \(line.style)" d="\(path)"/><path class="dots \(line.style)\
        \(layers.count > 40 ? " fine" : "")" d="\(dots)"/>
        """
    }
    for index in marked.sorted() {
      guard let position = scale.position(lines[0].figures[index]) else { continue }
      drawing += """
        <circle class="ring" cx="\(x(index))" cy="\(y(position))" r="6"/>
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
