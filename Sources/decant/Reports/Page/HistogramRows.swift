import Convert
import Foundation
import Stats

/// Histograms of log2 |x|, one row for each layer, of one kind after the other on the same axis.
struct HistogramRows {
  let figures: LayerFigures

  private static let (left, top, width) = (34.0, 6.0, 258.0)
  private static let fullWidth = 300.0

  /// Space from row to row.
  private var pitch: Double { max(11, min(42, 420 / Double(max(1, figures.layers.count)))) }
  /// Many rows overlap the one above, few keep clear of it.
  private var rowHeight: Double { pitch * (pitch < 20 ? 1.5 : 0.94) }

  /// Where the bins of an octave begin in it, and where the last one ends, on a scale of log2.
  private static let edges = [1, 1.25, 1.5, 1.75, 2].map(log2)

  var markup: Markup {
    guard !figures.kinds.isEmpty else { return "" }
    let bins = axis
    return """
      <div class="ridges n\(figures.kinds.count)">\(figures.kinds.map { chart($0, bins) }.joined())</div>
      <p class="note">Height: square root of the density of values along the axis, so that thin tails \
      show. Layers of which 4 bits lose most are marked. There are four bins to an octave. The dot at the right end of a row is the largest \
      magnitude. Left of the axis lies at most 0.1 % of a layer's values, and zeros have no bin.</p>
      """
  }

  /// Bins that the axis covers: up to the largest magnitude of all, and down to where less than
  /// 0.1 % of the values of each layer is left out.
  private var axis: Range<Int> {
    var low = LogHistogram.binCount
    var high = 0
    for summary in figures.kinds.flatMap(figures.summaries).compactMap({ $0 }) {
      let histogram = summary.histogram
      guard !histogram.counts.isEmpty else { continue }
      let total = histogram.counts.reduce(0, +)
      var below = 0
      let first = histogram.counts.firstIndex { count in
        below += count
        return below * 1000 > total
      }
      low = min(low, histogram.firstBin + (first ?? 0))
      high = max(high, histogram.firstBin + histogram.counts.count)
    }
    guard low < high else { return 0..<LogHistogram.binsPerOctave }
    let octave = LogHistogram.binsPerOctave
    return low / octave * octave..<(high + octave - 1) / octave * octave
  }

  private func chart(_ kind: TensorStatistics.Kind, _ bins: Range<Int>) -> Markup {
    let summaries = figures.summaries(kind)
    let height = Self.top + rowHeight + pitch * Double(summaries.count - 1)
    var rows: Markup = ""
    for (index, summary) in summaries.enumerated() {
      guard let summary else { continue }
      rows += row(summary, index, bins)
    }
    var labels: Markup = ""
    for index in rowTicks(summaries) {
      let mark = summaries[index]?.isLossy == true ? "▸" : ""
      labels += """
        <text class="tick" x="\(Self.left - 5)" \
        y="\(Self.top + rowHeight + pitch * Double(index) - 1)" \
        text-anchor="end">\(mark)\(figures.layers[index])</text>
        """
    }
    return """
      <figure class="chart ridge \(kind.style)" tabindex="0" role="group" aria-label="Histograms of \
      the magnitudes of \(kind.title.lowercased()) by layer. Arrow keys tell bins and counts." \
      data-name="\(kind.title)" data-x="\(Self.left)" data-w="\(Self.width)" \
      data-n="\(bins.count)" data-bin="\(bins.lowerBound)" data-y="\(Self.top + rowHeight - pitch)" \
      data-pitch="\(pitch)" data-layers="\(figures.layers.map(String.init).joined(separator: " "))">\
      <figcaption><span class="key \(kind.style)">\(kind.letter)</span> <b>\(kind.title)</b> \
      |x| by layer</figcaption>
      <svg viewBox="0 0 \(Self.fullWidth) \(height + 20)" aria-hidden="true">\
      \(axisMarkup(bins, height))\(labels)\(rows)\
      <line class="cursor" y1="\(Self.top)" y2="\(height)"/></svg></figure>

      """
  }

  /// Rows that carry their number: every few, and all that are marked, which go first.
  private func rowTicks(_ summaries: [StatisticsSummary?]) -> [Int] {
    let marked = summaries.indices.filter { summaries[$0]?.isLossy == true }
    let step = pitch >= 14 ? 1 : summaries.count <= 40 ? 2 : 5
    let others = stride(from: 0, to: summaries.count, by: step).filter { index in
      marked.allSatisfy { ($0 - index).magnitude >= (step + 1) / 2 }
    }
    return marked + others
  }

  private func x(_ bin: Int, _ bins: Range<Int>) -> Double {
    let octave = LogHistogram.binsPerOctave
    let (whole, part) = (bin - bins.lowerBound).quotientAndRemainder(dividingBy: octave)
    return Self.left + octaveWidth(bins) * (Double(whole) + Self.edges[part])
  }

  private func octaveWidth(_ bins: Range<Int>) -> Double {
    Self.width * Double(LogHistogram.binsPerOctave) / Double(bins.count)
  }

  /// Powers of two, at most seven of them.
  private func axisMarkup(_ bins: Range<Int>, _ height: Double) -> Markup {
    let octave = LogHistogram.binsPerOctave
    let octaves = bins.count / octave
    let step = [1, 2, 4, 8, 16, 32].first { octaves <= 7 * $0 } ?? 64
    var axis: Markup = ""
    for power in bins.lowerBound / octave...bins.upperBound / octave {
      // Bins are numbered by the biased exponent of F32.
      let exponent = power - 127
      guard exponent % step == 0 else { continue }
      let place = x(power * octave, bins)
      axis += """
        <line class="grid" x1="\(place)" x2="\(place)" y1="\(Self.top)" y2="\(height)"/>\
        <text class="tick" x="\(place)" y="\(height + 14)" text-anchor="middle">\(powerText(exponent))\
        </text>
        """
    }
    return axis
  }

  private func powerText(_ exponent: Int) -> Markup {
    exponent >= 0 && exponent <= 9
      ? "\(1 << exponent)" : "2<tspan dy=\"-4\" class=\"power\">\(exponent)</tspan>"
  }

  private func row(_ summary: StatisticsSummary, _ index: Int, _ bins: Range<Int>) -> Markup {
    let bottom = Self.top + rowHeight + pitch * Double(index)
    let histogram = summary.histogram
    let end = histogram.firstBin + histogram.counts.count
    guard !histogram.counts.isEmpty, end > bins.lowerBound else { return "" }
    let first = max(histogram.firstBin, bins.lowerBound)
    let counts = histogram.counts[(first - histogram.firstBin)...]
    // Bins differ in width, so what is drawn is their density. The densest of the row fills its
    // height: rows compare by shape.
    let octave = LogHistogram.binsPerOctave
    let widths = (0..<octave).map { Self.edges[$0 + 1] - Self.edges[$0] }
    let densities = counts.enumerated().map { Double($1) / widths[(first + $0) % octave] }
    let densest = densities.max() ?? 1
    guard densest > 0 else { return "" }
    var path = "M\(coordinateText(x(first, bins))) \(coordinateText(bottom))"
    var level = 0.0
    for (index, density) in densities.enumerated() {
      let next = ((density / densest).squareRoot() * rowHeight * 10).rounded() / 10
      if next != level { path += "v\(coordinateText(level - next))" }
      // Relative steps of a rounded length would add up to an error.
      path += "h\(stepText(widths[(first + index) % octave] * octaveWidth(bins)))"
      level = next
    }
    let largest = Self.left + Self.width * octavePosition(summary.absMax, bins)
    return """
      <g class="row\(summary.isLossy ? " hot" : "")" data-row="\(index)" data-first="\(first)" data-c="\
      \(counts.map { String($0, radix: 36) }.joined(separator: " "))"><path d="\(path)V\(bottom)z"/>\
      <circle cx="\(largest)" cy="\(bottom)" r="2"/></g>
      """
  }

  private func stepText(_ step: Double) -> String {
    let thousandths = Int((step * 1000).rounded())
    return "\(thousandths / 1000)." + String(String(thousandths % 1000 + 1000).dropFirst())
  }

  /// Place of a magnitude on the axis, 0 to 1.
  private func octavePosition(_ magnitude: Float, _ bins: Range<Int>) -> Double {
    guard magnitude > 0 else { return 0 }
    let octave = Double(LogHistogram.binsPerOctave)
    // Bins are numbered by the biased exponent of F32.
    let power = log2(Double(magnitude)) + 127 - Double(bins.lowerBound) / octave
    return min(1, max(0, power * octave / Double(bins.count)))
  }
}
