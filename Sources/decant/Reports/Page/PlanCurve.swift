import Convert
import Foundation

/// Loss over bits per weight: the optimum as a line, one width for all as circles, the plan ringed.
struct PlanCurve {
  let plan: BitPlan

  private static let (left, top, width, height) = (74.0, 12.0, 622.0, 260.0)
  private static let (fullWidth, fullHeight) = (720.0, 322.0)

  var markup: Markup {
    let scale = LogScale((plan.curve.map(\.loss) + plan.uniform.map(\.loss)))
    let sizes = plan.curve.map(\.bitsPerWeight) + plan.uniform.map(\.bitsPerWeight)
    guard let least = sizes.min(), let most = sizes.max(), most > least else {
      return "<p>There is one size only.</p>\(table)"
    }
    func point(_ bits: Double, _ error: Double) -> (x: Double, y: Double)? {
      scale.position(error).map {
        (
          Self.left + Self.width * (bits - least) / (most - least),
          Self.top + Self.height * (1 - $0)
        )
      }
    }
    let line = plan.curve.compactMap { point($0.bitsPerWeight, $0.loss) }
    let path = line.enumerated().map { index, place in
      "\(index == 0 ? "M" : "L")\(coordinateText(place.x)) \(coordinateText(place.y))"
    }.joined()
    let circles = plan.uniform.compactMap { uniform -> Markup? in
      guard let place = point(uniform.bitsPerWeight, uniform.loss) else { return nil }
      return """
        <circle class="dots k" cx="\(place.x)" cy="\(place.y)" r="4"><title>\(uniform.layout.bits) \
        bits in groups of \(uniform.layout.groupSize)</title></circle>
        """
    }.joined()
    let ring = point(plan.totals.bitsPerWeight, plan.totals.loss).map { place -> Markup in
      "<circle class=\"ring\" cx=\"\(place.x)\" cy=\"\(place.y)\" r=\"7\"/>"
    }
    let description =
      "The least \(plan.measure.noun) falls from \(figureText(plan.curve.first?.loss)) at "
      + String(format: "%.2f", least) + " bits per weight to "
      + "\(figureText(plan.curve.last?.loss)) at " + String(format: "%.2f", most)
      + ". The plan stands at " + String(format: "%.2f", plan.totals.bitsPerWeight) + " with "
      + figureText(plan.totals.loss) + "."
    return """
      <figure class="curve"><svg viewBox="0 0 \(Self.fullWidth) \(Self.fullHeight)" role="img" \
      aria-label="\(description)">\(grid(scale, least, most))\
      <path class="line w" d="\(path)"/>\(circles)\(ring ?? "")</svg>
      <figcaption class="note">Line: the least \(plan.measure.noun) for a size. Dots: one width for all. Ring: this plan.</figcaption></figure>
      \(table)
      """
  }

  private func grid(_ scale: LogScale, _ least: Double, _ most: Double) -> Markup {
    var grid: Markup = ""
    for tick in scale.ticks {
      let y = Self.top + Self.height * (1 - (scale.position(tick) ?? 0))
      grid += """
        <line class="grid" x1="\(Self.left)" x2="\(Self.left + Self.width)" y1="\(y)" y2="\(y)"/>\
        <text class="tick" x="\(Self.left - 6)" y="\(y + 4)" text-anchor="end">\(tickText(tick))</text>
        """
    }
    let middle = Self.top + Self.height / 2
    grid += """
      <text class="axis-title" x="\(Self.left + Self.width / 2)" y="\(Self.fullHeight - 4)" \
      text-anchor="middle">Bits per weight, everything counted</text>\
      <text class="axis-title" x="12" y="\(middle)" text-anchor="middle" \
      transform="rotate(-90 12 \(middle))">\(plan.measure.axis)</text>
      """
    for bits in Int(least.rounded(.up))...max(Int(least.rounded(.up)), Int(most)) {
      let x = Self.left + Self.width * (Double(bits) - least) / (most - least)
      grid += """
        <text class="tick" x="\(x)" y="\(Self.top + Self.height + 18)" text-anchor="middle">\(bits)</text>
        """
    }
    return grid
  }

  private var table: Markup {
    let rows = plan.uniform.map { uniform -> Markup in
      """
      <tr><th scope="row">\(uniform.layout.bits) bits in groups of \(uniform.layout.groupSize)</th>\
      <td>\(String(format: "%.4f", uniform.bitsPerWeight))</td>\
      <td>\(figureText(uniform.loss))</td>\(plan.measure.decibels(uniform.loss).map { "<td>\($0)</td>" as Markup } ?? "")\
      <td>\(figureText(uniform.loss / plan.totals.loss))</td></tr>

      """
    }.joined()
    let decibels: Markup =
      plan.measure.decibels(1) == nil ? "" : "<th scope=\"col\">SQNR, dB</th>"
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="One width for all"><table>\
      <caption>One width for all</caption><thead><tr><th scope="col">Width</th>\
      <th scope="col">Bits per weight</th><th scope="col">\(plan.measure.heading)</th>\
      \(decibels)\
      <th scope="col">Over the plan’s</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }
}
