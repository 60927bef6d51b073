import Forward
import Foundation

/// Quantiles of what single tokens give. Across, equal steps for the first 90, 99 and 99.9 % of the tokens, so
/// that the tail has room; up, a logarithmic scale.
struct QuantileCurve {
  struct Line {
    /// Of the style: `w`, `a`, `k`, `v`; `token` is drawn dashed.
    let style: String
    let name: String
    /// At least one.
    let values: Percentiles
  }

  /// What the values are, in nats.
  let name: String
  let lines: [Line]

  private static let (left, top, width, height) = (52.0, 10.0, 396.0, 200.0)
  private static let (fullWidth, fullHeight) = (460.0, 244.0)
  /// Points of a line, evenly spaced.
  private static let stepCount = 160
  /// Below this share of the largest value nothing is told apart.
  private static let leastShare = 1e-5

  var markup: Markup {
    """
    <figure class="curve"><figcaption>\(legend)</figcaption>\
    <svg viewBox="0 0 \(Self.fullWidth) \(Self.fullHeight)" role="img" aria-label="\(name)">\
    <desc>\(description)</desc>\(grid)\(lines.map(path).joined())</svg></figure>
    """
  }

  private var legend: Markup {
    guard lines.count > 1 else { return "<b>\(name)</b>" }
    let names = lines.map { line -> Markup in
      """
      <svg class="swatch" viewBox="0 0 26 8" aria-hidden="true"><path class="line \(line.style)" \
      d="M0 4h26"/></svg> \(line.name)
      """
    }
    return "<b>\(name)</b>: \(names.joined(separator: ", "))"
  }

  private var description: String {
    let texts = lines.map { line in
      "\(line.name): median \(figureText(line.values.median)), 90 % below "
        + "\(figureText(line.values[share: 0.9])), 99 % below \(figureText(line.values[share: 0.99])), "
        + "largest \(figureText(line.values.largest))"
    }
    return "Quantiles in nats. " + texts.joined(separator: ". ") + "."
  }

  private var count: Int { lines.map(\.values.count).max() ?? 1 }

  /// Powers of ten from all tokens to one.
  private var decades: Double { max(1, log10(Double(count))) }

  private var scale: LogScale {
    let largest = lines.map(\.values.largest).max() ?? 1
    let least = lines.map { max($0.values[share: 0.02], Self.leastShare * largest) }.min() ?? 1
    return LogScale([least, largest])
  }

  private func x(_ share: Double) -> Double {
    let decade = share < 1 ? min(-log10(1 - share), decades) : decades
    return Self.left + Self.width * decade / decades
  }

  private func y(_ value: Double) -> Double {
    let position = scale.position(value).map { min(max($0, 0), 1) } ?? 0
    return Self.top + Self.height * (1 - position)
  }

  private func path(_ line: Line) -> Markup {
    let path = (0...Self.stepCount).map { step in
      let share =
        step < Self.stepCount
        ? 1 - pow(10, -decades * Double(step) / Double(Self.stepCount)) : 1
      let place = "\(coordinateText(x(share))) \(coordinateText(y(line.values[share: share])))"
      return (step == 0 ? "M" : "L") + place
    }.joined()
    return "<path class=\"line \(line.style)\" d=\"\(path)\"/>"
  }

  private var grid: Markup {
    var grid: Markup = ""
    for tick in scale.ticks {
      grid += """
        <line class="grid" x1="\(Self.left)" x2="\(Self.left + Self.width)" y1="\(y(tick))" \
        y2="\(y(tick))"/><text class="tick" x="\(Self.left - 6)" y="\(y(tick) + 4)" \
        text-anchor="end">\(tickText(tick))</text>
        """
    }
    let base = Self.top + Self.height
    for percents in [0, 50, 90, 99, 99.9, 99.99] where 1 - percents / 100 > 1.5 / Double(count) {
      let place = x(percents / 100)
      grid += """
        <line class="grid" x1="\(place)" x2="\(place)" y1="\(Self.top)" y2="\(base)"/>\
        <text class="tick" x="\(place)" y="\(base + 17)" text-anchor="middle">\(tickText(percents)) %</text>
        """
    }
    grid += """
      <text class="tick" x="\(Self.left + Self.width)" y="\(base + 32)" text-anchor="end">share of \
      tokens with less</text>
      """
    return grid
  }
}
